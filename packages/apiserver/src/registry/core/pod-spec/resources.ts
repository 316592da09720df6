// Compute resources: what a container (or the pod as a whole) asks for and may use at most.

import {
  compareQuantities,
  fieldError,
  parseQuantity,
  quantityValue,
  type Quantity,
} from '@keelson/apimachinery';
import type {
  PodResourceClaim,
  PodSpec,
  ResourceClaim,
  ResourceRequirements,
} from '@keelson/apimachinery/types/core.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { conforms, required, type Errors } from '../../validation/checks.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import {
  containerResourceName,
  hugePagesPrefix,
  isHugePages,
  isOvercommitAllowed,
  resourceName,
  resourceQuantity,
} from '../../validation/resource-names.ts';
import { aggregateRequests } from './aggregate-resources.ts';
import type { PodSpecScope } from './scope.ts';

type ResourceScope = Pick<PodSpecScope, 'claimNames'> & {
  readonly options: Pick<PodSpecScope['options'], 'allowIndivisibleHugePages'>;
};
type NameCheck = (errors: Errors, path: string, name: string) => void;

export function containerResources(
  errors: Errors,
  path: string,
  requirements: ResourceRequirements,
  scope: ResourceScope,
): void {
  requirementsOf(errors, path, requirements, { ...scope, name: containerResourceName });
}

/** `spec.overhead`: what the runtime itself takes, in the form of limits. */
export function overhead(
  errors: Errors,
  path: string,
  list: Readonly<Record<string, string>>,
  scope: ResourceScope,
): void {
  containerResources(errors, path, { limits: { ...list } }, scope);
}

function requirementsOf(
  errors: Errors,
  path: string,
  requirements: ResourceRequirements,
  scope: ResourceScope & { readonly name: NameCheck },
): void {
  const { limits = {}, requests = {} } = requirements;
  const check = (at: string, name: string, text: string) => {
    scope.name(errors, at, name);
    resourceQuantity(errors, at, [name, text]);
  };
  for (const [name, text] of Object.entries(limits)) {
    check(`${path}.limits[${name}]`, name, text);
    hugePages(errors, `${path}.limits[${name}]`, [name, text], scope);
  }
  for (const [name, text] of Object.entries(requests)) {
    check(`${path}.requests[${name}]`, name, text);
    requestAgainstLimit(errors, path, [name, text, limits[name]]);
    hugePages(errors, `${path}.requests[${name}]`, [name, text], scope);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(fieldError.forbidden(path, 'HugePages require cpu or memory'));
  }
  claimReferences(errors, `${path}.claims`, requirements.claims ?? [], scope);
}

function requestAgainstLimit(
  errors: Errors,
  path: string,
  [name, text, limit]: readonly [string, string, string | undefined],
): void {
  const overcommit = isOvercommitAllowed(name);
  if (limit === undefined) {
    if (overcommit) return;
    const why = 'Limit must be set for non overcommitable resources';
    errors.push(fieldError.required(`${path}.limits`, why));
    return;
  }
  const order = compareQuantities(parseQuantity(text), parseQuantity(limit));
  const refuse = (how: string) =>
    errors.push(
      fieldError.invalid(`${path}.requests`, text, `must be ${how} ${name} limit of ${limit}`),
    );
  if (order !== 0 && !overcommit) refuse('equal to');
  else if (order > 0) refuse('less than or equal to');
}

function hugePages(
  errors: Errors,
  path: string,
  [name, text]: readonly [string, string],
  scope: ResourceScope,
): void {
  if (!isHugePages(name) || scope.options.allowIndivisibleHugePages) return;
  if (isDivisible(name, parseQuantity(text))) return;
  const why = `${text} is not positive integer multiple of ${name}`;
  errors.push(fieldError.invalid(path, text, why));
}

/** The amount is a positive multiple of the page size in the name (`hugepages-2Mi`). */
export function isDivisible(name: string, amount: Quantity): boolean {
  let page: bigint;
  try {
    page = quantityValue(parseQuantity(name.slice(hugePagesPrefix.length)));
  } catch {
    // COMPAT: a page size that cannot be read counts as one that does not fit.
    return false;
  }
  const value = quantityValue(amount);
  return page > 0n && value > 0n && value % page === 0n;
}

/** The claims that a container uses are claims of the pod; no request of a claim is used twice. */
function claimReferences(
  errors: Errors,
  path: string,
  claims: readonly ResourceClaim[],
  { claimNames }: ResourceScope,
): void {
  const used = new Set<string>();
  claims.forEach(({ name, request = '' }, i) => {
    const at = `${path}[${i}]`;
    if (!required(errors, at, name)) return;
    const key = request === '' ? name : `${name}/${request}`;
    if (used.has(name)) errors.push(fieldError.duplicate(at, name));
    else {
      if (request !== '') conforms(errors, `${at}.request`, request, dns1123Label);
      if (used.has(key)) errors.push(fieldError.duplicate(at, key));
      else if (request === '') {
        for (const other of used) {
          if (other.startsWith(`${name}/`)) errors.push(fieldError.duplicate(at, name));
        }
      }
      used.add(key);
    }
    if (claimNames.has(name)) return;
    const list =
      claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].sort().join(', ')}`;
    const why = `must be one of the names in pod.spec.resourceClaims${list}`;
    errors.push({ ...fieldError.notFound(at, name), detail: why });
  });
}

/** The claims of the pod: each by name or made from a template. */
export function podResourceClaims(
  errors: Errors,
  path: string,
  claims: readonly PodResourceClaim[],
): void {
  const names = new Set<string>();
  claims.forEach((claim, i) => {
    const at = `${path}[${i}]`;
    if (required(errors, `${at}.name`, claim.name)) {
      if (names.has(claim.name)) errors.push(fieldError.duplicate(`${at}.name`, claim.name));
      else conforms(errors, `${at}.name`, claim.name, dns1123Label);
      names.add(claim.name);
    }
    const { resourceClaimName: byName, resourceClaimTemplateName: byTemplate } = claim;
    const refuse = (why: string) =>
      errors.push(fieldError.invalid(at, internalValue('PodResourceClaim', claim), why));
    if (byName !== undefined && byTemplate !== undefined) {
      refuse('at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
    }
    if (byName === undefined && byTemplate === undefined) {
      refuse('must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    if (byName !== undefined) {
      conforms(errors, `${at}.resourceClaimName`, byName, dns1123Subdomain);
    }
    if (byTemplate !== undefined) {
      conforms(errors, `${at}.resourceClaimTemplateName`, byTemplate, dns1123Subdomain);
    }
  });
}

const isPodLevelResource = (name: string) =>
  name === 'cpu' || name === 'memory' || isHugePages(name);

const podResourceName: NameCheck = (errors, path, name) => {
  if (!resourceName(errors, path, name) || isPodLevelResource(name)) return;
  errors.push(fieldError.notSupported(path, name, ['cpu', 'hugepages-', 'memory']));
};

/** Resources of the pod as a whole (KEP-2837): at least what its containers ask for together. */
export function podLevelResources(
  errors: Errors,
  path: string,
  spec: PodSpec,
  scope: ResourceScope,
): void {
  const resources = spec.resources;
  if (!resources) return;
  if (resources.claims) {
    const why = 'claims cannot be set for Resources at pod-level';
    errors.push(fieldError.forbidden(`${path}.claims`, why));
  }
  requirementsOf(errors, path, resources, { ...scope, name: podResourceName });
  for (const [name, sum] of aggregateRequests(spec)) {
    if (!isPodLevelResource(name)) continue;
    const own = resources.requests?.[name] ?? '0';
    if (compareQuantities(parseQuantity(sum), parseQuantity(own)) <= 0) continue;
    const why = `must be greater than or equal to aggregate container requests of ${sum}`;
    errors.push(fieldError.invalid(`${path}.requests[${name}]`, own, why));
  }
  (spec.containers ?? []).forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const own = resources.limits?.[name];
      if (own === undefined) continue;
      if (compareQuantities(parseQuantity(limit), parseQuantity(own)) <= 0) continue;
      const at = `${path}.containers[${i}][${name}].limits`;
      const why = `must be less than or equal to pod limits of ${own}`;
      errors.push(fieldError.invalid(at, limit, why));
    }
  });
}
