// Kubernetes' order of versions: GA before beta before alpha, higher first, anything else last by
// name.

export function compareVersions(a: string, b: string): number {
  const ra = rank(a);
  const rb = rank(b);
  if (ra === undefined || rb === undefined) {
    if (ra !== rb) return ra === undefined ? 1 : -1;
    return a === b ? 0 : a < b ? -1 : 1;
  }
  return rb.stage - ra.stage || rb.major - ra.major || rb.minor - ra.minor;
}

function rank(version: string) {
  const m = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (m === null) return undefined;
  return {
    stage: m[2] === undefined ? 2 : m[2] === 'beta' ? 1 : 0,
    major: Number(m[1]),
    minor: Number(m[3] ?? 0),
  };
}
