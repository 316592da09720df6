// Semantic versions (https://semver.org, 2.0.0): three numbers without leading zeros, then
// identifiers of a prerelease and of a build, of which only the first counts for the order.
//
//   1.36.0    1.36.0-alpha.1    1.36.0-rc.0+build.5

export interface SemanticVersion {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  readonly prerelease: readonly string[];
}

const number = '(0|[1-9][0-9]*)';
const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const pattern = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${identifiers}))?(?:\\+${identifiers})?$`,
);
const bytesMax = 256;

export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  const match = text.length > bytesMax ? null : pattern.exec(text);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = '', prerelease] = match;
  const parts = prerelease === undefined ? [] : prerelease.split('.');
  if (parts.some((part) => /^0[0-9]+$/.test(part))) return undefined;
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], prerelease: parts };
}

/** Below zero when `a` is older. */
export function compareSemanticVersions(a: SemanticVersion, b: SemanticVersion): number {
  for (const [i, value] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (value !== other) return value < other ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Math.sign(b.prerelease.length) - Math.sign(a.prerelease.length);
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    if (other === undefined) return 1;
    if (part !== other) return compareIdentifiers(part, other);
  }
  return a.prerelease.length === b.prerelease.length ? 0 : -1;
}

/** Numbers are older than words. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  if (isNumber) return BigInt(a) < BigInt(b) ? -1 : 1;
  return a < b ? -1 : 1;
}
