// The environments of one release. What is newly written compiles with what the release before
// knows too, so that a rollback still understands it; what is stored compiles with everything.
//
// A release is known by what it adds (`additions`), so that what an expression may use is data.

import { createEnvironment } from '../create-environment.ts';
import type { Environment, EnvironmentOptions } from '../environment.ts';
import { listsLibrary } from '../library/extensions/lists.ts';
import { setsLibrary } from '../library/extensions/sets.ts';
import { stringsLibrary } from '../library/extensions/strings.ts';
import { twoVariableComprehensionsLibrary } from '../library/extensions/two-variable-comprehensions.ts';
import type { Library } from '../library/library.ts';
import {
  countKubernetesCall,
  countsKubernetesCall,
  estimateKubernetesCall,
} from './cost/kubernetes-cost.ts';
import { authorizerLibrary, authorizerSelectorLibrary } from './libraries/authorizer.ts';
import { formatLibrary } from './libraries/format.ts';
import { listLibrary } from './libraries/lists.ts';
import { cidrLibrary, ipLibrary } from './libraries/networks.ts';
import { quantityLibrary } from './libraries/quantity.ts';
import { regexLibrary } from './libraries/regex.ts';
import { semverLibrary } from './libraries/semver.ts';
import { urlLibrary } from './libraries/urls.ts';

export interface Release {
  readonly major: number;
  readonly minor: number;
}

export interface EnvironmentSet {
  /** For what is written or changed by a request. */
  readonly newExpressions: Environment;
  /** For what was accepted before, and for every evaluation. */
  readonly storedExpressions: Environment;
}

export interface EnvironmentSetOptions {
  /** The oldest release that must understand new expressions: one before the server's own. */
  readonly compatibilityVersion: Release;
  /** `fieldSelector` and `labelSelector` of authorization checks (AuthorizeWithSelectors). */
  readonly authorizerSelectors: boolean;
}

type Flags = Pick<
  EnvironmentOptions,
  'optionalSyntax' | 'crossTypeNumericComparisons' | 'validateLiterals'
>;

interface Addition extends Flags {
  /** The minor version of the release; 0 for what was always there. */
  readonly since: number;
  /** The minor version from which on it is replaced. */
  readonly until?: number;
  readonly libraries?: readonly Library[];
  readonly isAuthorizerSelectors?: true;
}

const additions: readonly Addition[] = [
  { since: 0, libraries: [urlLibrary, regexLibrary, listLibrary] },
  { since: 0, until: 29, libraries: [stringsLibrary(0)] },
  { since: 27, libraries: [authorizerLibrary] },
  {
    since: 28,
    crossTypeNumericComparisons: true,
    optionalSyntax: true,
    libraries: [quantityLibrary],
  },
  { since: 29, validateLiterals: true, libraries: [stringsLibrary(2), setsLibrary] },
  { since: 30, libraries: [ipLibrary, cidrLibrary] },
  { since: 31, libraries: [formatLibrary] },
  { since: 31, libraries: [authorizerSelectorLibrary], isAuthorizerSelectors: true },
  { since: 32, libraries: [twoVariableComprehensionsLibrary] },
  { since: 33, libraries: [semverLibrary] },
  { since: 34, libraries: [listsLibrary(3)] },
];

/** Every environment of Kubernetes has these. */
const base: EnvironmentOptions = {
  homogeneousLiterals: true,
  foldConstants: true,
  freePresenceTests: true,
  interruptionCheckFrequency: 100,
  costs: {
    estimate: estimateKubernetesCall,
    count: countKubernetesCall,
    counts: countsKubernetesCall,
  },
};

export function createEnvironmentSet(options: EnvironmentSetOptions): EnvironmentSet {
  const { minor } = options.compatibilityVersion;
  const known = additions.filter(({ since, until = Infinity, isAuthorizerSelectors }) => {
    // A gate that is on allows its part before its release, and one that is off refuses it.
    if (isAuthorizerSelectors) return options.authorizerSelectors;
    return since <= minor && minor < until;
  });
  return {
    newExpressions: environmentOf(known),
    storedExpressions: environmentOf(additions.filter(({ until }) => until === undefined)),
  };
}

function environmentOf(parts: readonly Addition[]): Environment {
  const has = (flag: keyof Flags) => parts.some((part) => part[flag] === true);
  return createEnvironment({
    ...base,
    optionalSyntax: has('optionalSyntax'),
    crossTypeNumericComparisons: has('crossTypeNumericComparisons'),
    validateLiterals: has('validateLiterals'),
    libraries: parts.flatMap(({ libraries = [] }) => libraries),
  });
}
