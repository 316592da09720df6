// Does a request fit into the quotas of its namespace, and what would they have used afterwards?
// Pure: quotas go in with what is used now and come out with what would be, or the request is
// refused.
//
// - A quota matters when it counts a name of the resource and the object is in all its scopes.
// - Of an update only what it uses more counts; all of it when the old object was outside the
//   quota.
// - An object must say enough to be counted, and the quota must know its present usage.
// - Resources and scopes that the configuration limits need a quota that covers them.
// - Status updates are counted but never refused.
// Law: CheckRequest of k8s.io/apiserver/pkg/admission/plugin/resourcequota.

import {
  addLists,
  exceededNames,
  formatResourceList,
  type KubeObject,
  maskList,
  negativeNames,
  readResourceList,
  type ResourceList,
  statusErrors,
  subtractListsToZero,
  withoutZeros,
} from '@keelson/apimachinery';
import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import { plainError } from '../../../registry/storage-errors.ts';
import { admissionForbidden, type AdmissionAttributes } from '../../admission.ts';
import { asKind } from '../../request-match.ts';
import type { QuotaEvaluator, QuotaScope } from './evaluator.ts';
import { formatScopes, scopesOf } from './scopes.ts';

/** A quota with what would be used if the requests checked so far went through. */
export interface RunningQuota {
  readonly quota: KubeObject;
  readonly hard: ResourceList;
  readonly used: ResourceList;
}

/**
 * What may be consumed only under a quota that covers it (`limitedResources` of the configuration).
 */
export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource: string;
  /** Parts of quota names. */
  readonly matchContains?: readonly string[];
  readonly matchScopes?: readonly QuotaScope[];
}

export function runningQuota(quota: KubeObject): RunningQuota {
  const { status } = asKind<ResourceQuota>(quota);
  return { quota, hard: readResourceList(status?.hard), used: readResourceList(status?.used) };
}

/**
 * The quotas afterwards; the very same array when nothing changes. Throws the refusal.
 * The evaluator has said that it handles the request.
 */
export function checkRequest(
  quotas: readonly RunningQuota[],
  attributes: AdmissionAttributes,
  evaluator: QuotaEvaluator,
  limited: readonly LimitedResource[],
): readonly RunningQuota[] {
  const { object } = attributes;
  if (object === undefined) return quotas;
  const pertinent = new Map<RunningQuota, string[]>();
  for (const running of quotas) {
    const names = pertinentNames(running, object, evaluator);
    if (names === undefined) continue;
    checkCountable(running, { attributes, names, why: evaluator.missing?.(names, object) });
    pertinent.set(running, names);
  }
  const usage = evaluator.usage(object);
  const negative = negativeNames(usage).sort();
  if (negative.length > 0)
    throw admissionForbidden(
      attributes,
      `quota usage is negative for resource(s): ${negative.join(',')}`,
    );
  const growth = growthOf(attributes, evaluator, usage);
  const charges = new Map(
    [...pertinent.keys()].map((running) => [running, growth.chargedTo(running)] as const),
  );
  const counted = pertinent.size > 0 ? [...charges.values()] : [growth.uncovered];
  if (counted.every((charge) => charge.size === 0)) return quotas;
  if (limited.length > 0)
    checkCovered(quotas, { attributes, evaluator, limited, usage, names: [...pertinent.values()] });
  if (pertinent.size === 0) return quotas;
  return quotas.map((running) => charged(running, charges.get(running), attributes));
}

function pertinentNames(
  running: RunningQuota,
  object: KubeObject,
  evaluator: QuotaEvaluator,
): string[] | undefined {
  const names = evaluator.matchingNames([...running.hard.keys()]);
  if (names.length === 0) return undefined;
  const scopes = scopesOf(asKind<ResourceQuota>(running.quota));
  return scopes.every((scope) => evaluator.matchesScope(scope, object)) ? names : undefined;
}

interface Countability {
  readonly attributes: AdmissionAttributes;
  readonly names: readonly string[];
  /** Why the object cannot be counted. */
  readonly why: string | undefined;
}

function checkCountable(running: RunningQuota, { attributes, names, why }: Countability): void {
  const { name } = running.quota.metadata;
  if (why !== undefined) throw admissionForbidden(attributes, `failed quota: ${name}: ${why}`);
  if (names.every((counted) => running.used.has(counted))) return;
  const listed = [...names].sort().join(',');
  throw admissionForbidden(attributes, `status unknown for quota: ${name}, resources: ${listed}`);
}

interface Growth {
  /** What a quota is to be charged, without zeros. */
  chargedTo(running: RunningQuota): ResourceList;
  /** What the request uses more whatever the quotas, without zeros. */
  readonly uncovered: ResourceList;
}

function growthOf(
  attributes: AdmissionAttributes,
  evaluator: QuotaEvaluator,
  usage: ResourceList,
): Growth {
  const all = withoutZeros(usage);
  const { operation, oldObject } = attributes;
  if (operation !== 'UPDATE') return { chargedTo: () => all, uncovered: all };
  if (oldObject === undefined)
    throw admissionForbidden(
      attributes,
      'unable to get previous usage since prior version of object was not found',
    );
  const more = withoutZeros(subtractListsToZero(usage, evaluator.usage(oldObject)));
  return {
    chargedTo: (running) =>
      pertinentNames(running, oldObject, evaluator) === undefined ? all : more,
    uncovered: more,
  };
}

interface Coverage {
  readonly attributes: AdmissionAttributes;
  readonly evaluator: QuotaEvaluator;
  readonly limited: readonly LimitedResource[];
  readonly usage: ResourceList;
  /** Names that pertinent quotas count. */
  readonly names: readonly (readonly string[])[];
}

function checkCovered(quotas: readonly RunningQuota[], coverage: Coverage): void {
  const { attributes, evaluator, limited, usage } = coverage;
  const { object, gvr } = attributes;
  if (object === undefined) return;
  const own = limited.filter(
    ({ apiGroup = '', resource }) => apiGroup === gvr.group && resource === gvr.resource,
  );
  const parts = own.flatMap(({ matchContains = [] }) => matchContains);
  const covered = new Set(coverage.names.flat());
  const uncovered = [...withoutZeros(usage).keys()].filter(
    (name) => parts.some((part) => name.includes(part)) && !covered.has(name),
  );
  if (uncovered.length > 0)
    throw admissionForbidden(
      attributes,
      `insufficient quota to consume: ${uncovered.sort().join(',')}`,
    );
  const inScope = (scope: QuotaScope) => evaluator.matchesScope(scope, object);
  const coveredScopes = new Set(
    quotas
      .flatMap(({ quota }) => scopesOf(asKind<ResourceQuota>(quota)).filter(inScope))
      .map((scope) => scope.scopeName),
  );
  const uncoveredScopes = limited
    .flatMap(({ matchScopes = [] }) => matchScopes.filter(inScope))
    .filter((scope) => !coveredScopes.has(scope.scopeName));
  if (uncoveredScopes.length > 0)
    // COMPAT: not a refusal but an error without a code, as upstream returns it.
    throw plainError(`insufficient quota to match these scopes: ${formatScopes(uncoveredScopes)}`);
}

function charged(
  running: RunningQuota,
  charge: ResourceList | undefined,
  attributes: AdmissionAttributes,
): RunningQuota {
  if (charge === undefined || charge.size === 0) return running;
  const { hard, used } = running;
  const requested = maskList(charge, hard.keys());
  const total = addLists(used, requested);
  const exceeded = exceededNames(maskList(total, requested.keys()), hard);
  if (exceeded.length > 0 && attributes.subresource !== 'status') {
    const text = (list: ResourceList) => formatResourceList(maskList(list, exceeded));
    throw admissionForbidden(
      attributes,
      `exceeded quota: ${running.quota.metadata.name}, requested: ${text(requested)}, ` +
        `used: ${text(used)}, limited: ${text(hard)}`,
    );
  }
  return { ...running, used: total };
}

/** The answer when quotas could not be checked in time. */
export function quotaTimeout() {
  return statusErrors.internalError('resource quota evaluation timed out');
}
