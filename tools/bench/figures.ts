// How figures are written in docs/benchmarks.md.

export function figure(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2).replace(/\.0$/, '');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function duration(ns: number | undefined): string {
  if (ns === undefined) return '–';
  return ns < 1000 ? `${ns.toFixed(0)} ns` : `${figure(ns / 1000)} µs`;
}

/** `load`: programs that wanted a core meanwhile. */
export function busyNote(load: number): string {
  return load > 0.5 ? ` The machine was busy: ${load.toFixed(1)} programs wanted a core.` : '';
}
