// Counters, gauges, histograms and summaries in the Prometheus text format. Small on purpose: names and help
// are Kubernetes', label sets are bounded by what the server serves, and adding is one map look-up.

import { formatGoFloat } from '@keelson/apimachinery';

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels: Labels, by?: number): void;
  /** Adds under these labels only, without looking for them each time. */
  under(labels: Labels): (by?: number) => void;
}
export interface Gauge {
  /** Values are read when somebody asks for the metrics. */
  collect(read: () => readonly (readonly [Labels, number])[]): void;
}
export interface Histogram {
  observe(labels: Labels, value: number): void;
  /** Observes under these labels only, without looking for them each time. */
  under(labels: Labels): (value: number) => void;
}
/** Number and sum of what was observed; no quantiles. */
export type Summary = Pick<Histogram, 'under'>;
export interface HistogramValue {
  /** Upper bound, and how many observations are not above it. */
  readonly buckets: readonly (readonly [number, number])[];
  readonly sum: number;
  readonly count: number;
}
export type Sample = readonly [Labels, number | HistogramValue];
/** What is counted where it happens, and read when somebody asks for the metrics. */
export interface CollectedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  read(): readonly Sample[];
}
export interface Metrics {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  summary(name: string, help: string): Summary;
  collect(family: CollectedFamily): void;
  /** The text of /metrics. */
  render(): string;
}

interface Series {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/**
 * Label sets of one metric beyond which new ones are not added: a client must not grow the server
 * by inventing paths.
 */
const labelSetsMax = 5_000;

export function createMetrics(): Metrics {
  const families: (() => string)[] = [];
  return {
    counter(name, help) {
      const values = new Map<string, { value: number }>();
      const cellOf = (labels: Labels) => {
        const key = renderLabels(labels);
        let cell = values.get(key);
        if (cell === undefined) {
          cell = { value: 0 };
          if (values.size < labelSetsMax) values.set(key, cell);
        }
        return cell;
      };
      families.push(() =>
        family(
          name,
          help,
          'counter',
          [...values].map(([labels, { value }]) => `${name}${labels} ${value}`),
        ),
      );
      return {
        add: (labels, by = 1) => void (cellOf(labels).value += by),
        under(labels) {
          const cell = cellOf(labels);
          return (by = 1) => void (cell.value += by);
        },
      };
    },
    gauge(name, help) {
      const sources: (() => readonly (readonly [Labels, number])[])[] = [];
      families.push(() =>
        family(
          name,
          help,
          'gauge',
          sources.flatMap((read) =>
            read().map(([labels, value]) => `${name}${renderLabels(labels)} ${value}`),
          ),
        ),
      );
      return { collect: (read) => void sources.push(read) };
    },
    histogram(name, help, buckets) {
      const { histogram, lines } = createHistogram(name, buckets);
      families.push(() => family(name, help, 'histogram', lines()));
      return histogram;
    },
    summary(name, help) {
      const { histogram, lines } = createHistogram(name, []);
      const withoutBuckets = () => lines().filter((line) => !line.startsWith(`${name}_bucket{`));
      families.push(() => family(name, help, 'summary', withoutBuckets()));
      return histogram;
    },
    collect: (collected) => void families.push(() => renderCollected(collected)),
    render: () => families.map((f) => f()).join(''),
  };
}

function createHistogram(name: string, buckets: readonly number[]) {
  const series = new Map<string, Series>();
  const seriesOf = (labels: Labels): Series | undefined => {
    const key = renderLabels(labels);
    let found = series.get(key);
    if (found === undefined && series.size < labelSetsMax)
      series.set(key, (found = { labels, counts: buckets.map(() => 0), sum: 0, count: 0 }));
    return found;
  };
  const add = (to: Series, value: number) => {
    const { counts } = to;
    for (let i = buckets.length - 1; i >= 0 && value <= (buckets[i] ?? 0); i--)
      counts[i] = (counts[i] ?? 0) + 1;
    to.sum += value;
    to.count++;
  };
  const histogram: Histogram = {
    observe(labels, value) {
      const found = seriesOf(labels);
      if (found !== undefined) add(found, value);
    },
    under(labels) {
      const found = seriesOf(labels);
      return found === undefined ? () => {} : (value) => add(found, value);
    },
  };
  const lines = () => [...series.values()].flatMap((s) => renderHistogram(name, s, buckets));
  return { histogram, lines };
}

function family(name: string, help: string, type: string, lines: readonly string[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((l) => `${l}\n`).join('')}`;
}

function renderCollected({ name, help, type, read }: CollectedFamily): string {
  const lines = read().flatMap(([labels, value]) => renderSample(name, labels, value));
  return family(name, help, type, lines);
}

function renderSample(name: string, labels: Labels, value: number | HistogramValue): string[] {
  const text = renderLabels(labels);
  if (typeof value === 'number') return [`${name}${text} ${value}`];
  const buckets = value.buckets.map(
    ([le, count]) => `${name}_bucket${renderLabels({ ...labels, le: formatGoFloat(le) })} ${count}`,
  );
  return [
    ...buckets,
    `${name}_bucket${renderLabels({ ...labels, le: '+Inf' })} ${value.count}`,
    `${name}_sum${text} ${value.sum}`,
    `${name}_count${text} ${value.count}`,
  ];
}

function renderHistogram(
  name: string,
  s: { labels: Labels; counts: number[]; sum: number; count: number },
  buckets: readonly number[],
): string[] {
  const lines = buckets.map(
    (le, i) =>
      `${name}_bucket${renderLabels({ ...s.labels, le: formatGoFloat(le) })} ${s.counts[i] ?? 0}`,
  );
  lines.push(
    `${name}_bucket${renderLabels({ ...s.labels, le: '+Inf' })} ${s.count}`,
    `${name}_sum${renderLabels(s.labels)} ${s.sum}`,
    `${name}_count${renderLabels(s.labels)} ${s.count}`,
  );
  return lines;
}

function renderLabels(labels: Labels): string {
  let out = '';
  for (const key in labels)
    out += `${out === '' ? '' : ','}${key}="${escapeLabel(labels[key] ?? '')}"`;
  return out === '' ? '' : `{${out}}`;
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}
