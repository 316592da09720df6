// The levels of the Pod Security Standards, their versions, and the text form of both together:
// `restricted:latest`, `baseline:v1.25`.

export type Level = 'privileged' | 'baseline' | 'restricted';

/** `latest` or `v1.<minor>`; minors that do not exist yet are legal and mean the newest known. */
export type PolicyVersion = 'latest' | `v1.${string}`;

export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}

/** From weakest to strictest. */
export const levels: readonly Level[] = ['privileged', 'baseline', 'restricted'];

/** COMPAT: the texts of a rejected level and version, in label and configuration errors. */
export const levelRule = `must be one of ${levels.join(', ')}`;
export const versionRule = 'must be "latest" or "v1.x"';

const int64Max = 9223372036854775807n;

/** The level with that exact name, or `undefined`. */
export function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

/**
 * The version, or `undefined`. Accepted: `latest`, `v1.0`, `v1.36`, `v1.999`. Refused: `1.30`,
 * `v1.030`, `v2.0`, `v1.30.1`, `Latest`, and minors beyond 64 bits.
 */
export function parsePolicyVersion(text: string): PolicyVersion | undefined {
  if (text === 'latest') return text;
  if (!/^v1\.(?:0|[1-9][0-9]*)$/.test(text)) return undefined;
  const minor = text.slice('v1.'.length);
  if (minor.length > 19 || BigInt(minor) > int64Max) return undefined;
  return `v1.${minor}`;
}

/** `restricted`, `restricted:latest`, `baseline:v1.25`. Throws a RangeError on anything else. */
export function parseLevelVersion(text: string): LevelVersion {
  const colon = text.indexOf(':');
  const level = parseLevel(colon < 0 ? text : text.slice(0, colon));
  if (level === undefined) throw new RangeError(`level of \`${text}\` ${levelRule}`);
  const version = colon < 0 ? 'latest' : parsePolicyVersion(text.slice(colon + 1));
  if (version === undefined) throw new RangeError(`version of \`${text}\` ${versionRule}`);
  return { level, version };
}

export function formatLevelVersion({ level, version }: LevelVersion): string {
  return `${level}:${version}`;
}

/** Negative when `a` is less strict than `b`, positive when stricter. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

export function isSameLevelVersion(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}
