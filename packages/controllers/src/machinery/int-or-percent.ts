// Numbers that users give as they are or as a percentage of something else.

/** Not negative. COMPAT: what is neither a number nor a percentage counts as none. */
export function scaledIntOrPercent(
  value: number | string,
  total: number,
  round: (value: number) => number,
): number {
  if (typeof value === 'number') return Math.max(0, value);
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? 0 : round((Number(percent) * total) / 100);
}
