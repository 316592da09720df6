// Counters, gauges and histograms in the Prometheus text format. Small on purpose: names and help
// are Kubernetes', label sets are bounded by what the server serves, and adding is one map look-up.

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels: Labels, by?: number): void;
}
export interface Gauge {
  /** Values are read when somebody asks for the metrics. */
  collect(read: () => readonly (readonly [Labels, number])[]): void;
}
export interface Histogram {
  observe(labels: Labels, value: number): void;
}
export interface Metrics {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  /** The text of /metrics. */
  render(): string;
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
      const values = new Map<string, number>();
      families.push(() =>
        family(
          name,
          help,
          'counter',
          [...values].map(([labels, value]) => `${name}${labels} ${value}`),
        ),
      );
      return {
        add(labels, by = 1) {
          const key = renderLabels(labels);
          const before = values.get(key);
          if (before !== undefined || values.size < labelSetsMax)
            values.set(key, (before ?? 0) + by);
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
      const series = new Map<
        string,
        { labels: Labels; counts: number[]; sum: number; count: number }
      >();
      families.push(() =>
        family(
          name,
          help,
          'histogram',
          [...series.values()].flatMap((s) => renderHistogram(name, s, buckets)),
        ),
      );
      return {
        observe(labels, value) {
          const key = renderLabels(labels);
          let s = series.get(key);
          if (s === undefined) {
            if (series.size >= labelSetsMax) return;
            series.set(key, (s = { labels, counts: buckets.map(() => 0), sum: 0, count: 0 }));
          }
          const { counts } = s;
          for (let i = buckets.length - 1; i >= 0 && value <= (buckets[i] ?? 0); i--)
            counts[i] = (counts[i] ?? 0) + 1;
          s.sum += value;
          s.count++;
        },
      };
    },
    render: () => families.map((f) => f()).join(''),
  };
}

function family(name: string, help: string, type: string, lines: readonly string[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((l) => `${l}\n`).join('')}`;
}

function renderHistogram(
  name: string,
  s: { labels: Labels; counts: number[]; sum: number; count: number },
  buckets: readonly number[],
): string[] {
  const lines = buckets.map(
    (le, i) => `${name}_bucket${renderLabels({ ...s.labels, le: String(le) })} ${s.counts[i] ?? 0}`,
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
