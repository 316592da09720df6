// Semantic versions: `semver('1.2.3').isLessThan(semver('v2', true))`; the second argument accepts
// loose forms.

import {
  declareFunction,
  globalOverload,
  memberOverload,
  type Library,
} from '../../library/library.ts';
import { celTypes } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import type { CelResult } from '../../values/value.ts';
import { kubernetesTypes, semverValue, type HeldValue } from '../types.ts';
import {
  compareSemanticVersions,
  parseSemanticVersion,
  type SemanticVersion,
} from '../values/semantic-version.ts';

type Held = HeldValue<SemanticVersion>;

const { semver } = kubernetesTypes;
const { bool, int, string } = celTypes;

function fromText(text: string, normalize = false): CelResult {
  const parsed = parseSemanticVersion(text, normalize);
  return 'error' in parsed ? celError(parsed.error) : semverValue.create(parsed);
}

function isVersion(text: string, normalize = false): boolean {
  return !('error' in parseSemanticVersion(text, normalize));
}

const comparison = (id: string, holds: (order: number) => boolean) =>
  memberOverload(id, [[semver, semver], bool], (a: Held, b: Held) =>
    holds(compareSemanticVersions(a.held, b.held)),
  );

// COMPAT: numbers beyond int64 wrap around, as they do there.
const part = (name: 'major' | 'minor' | 'patch') =>
  declareFunction(
    name,
    memberOverload(`semver_${name}`, [[semver], int], ({ held }: Held) =>
      BigInt.asIntN(64, held[name]),
    ),
  );

export const semverLibrary: Library = {
  name: 'kubernetes.Semver',
  functions: [
    declareFunction(
      'semver',
      globalOverload('string_to_semver', [[string], semver], (text: string) => fromText(text)),
      globalOverload('string_bool_to_semver', [[string, bool], semver], fromText),
    ),
    declareFunction(
      'isSemver',
      globalOverload('is_semver_string', [[string], bool], (text: string) => isVersion(text)),
      globalOverload('is_semver_string_bool', [[string, bool], bool], isVersion),
    ),
    declareFunction(
      'isGreaterThan',
      comparison('semver_is_greater_than', (order) => order > 0),
    ),
    declareFunction(
      'isLessThan',
      comparison('semver_is_less_than', (order) => order < 0),
    ),
    declareFunction(
      'compareTo',
      memberOverload('semver_compare_to', [[semver, semver], int], (a: Held, b: Held) =>
        BigInt(compareSemanticVersions(a.held, b.held)),
      ),
    ),
    part('major'),
    part('minor'),
    part('patch'),
  ],
};
