// Rules that tie a pod to nodes and to other pods.

import { fieldError } from '@keelson/apimachinery';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, type Errors } from '../../validation/checks.ts';
import { labelSelector, type LabelSelectorLike } from '../../validation/labels.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  qualifiedName,
} from '../../validation/names.ts';
import type { PodSpecScope } from './scope.ts';

type AffinityScope = Pick<PodSpecScope, 'options'>;

export function affinity(
  errors: Errors,
  path: string,
  value: Affinity | undefined,
  scope: AffinityScope,
): void {
  const node = value?.nodeAffinity;
  if (node) {
    const at = `${path}.nodeAffinity`;
    const terms = node.requiredDuringSchedulingIgnoredDuringExecution;
    if (terms) {
      nodeSelector(errors, `${at}.requiredDuringSchedulingIgnoredDuringExecution`, terms, {
        allowInvalidValues: scope.options.allowInvalidLabelValueInNodeAffinity,
      });
    }
    node.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      const termPath = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      weight(errors, `${termPath}.weight`, term.weight);
      // A preference that no node can meet does no harm.
      const options = { allowInvalidValues: true };
      nodeSelectorTerm(errors, `${termPath}.preference`, term.preference, options);
    });
  }
  if (value?.podAffinity) podTerms(errors, `${path}.podAffinity`, value.podAffinity, scope);
  if (value?.podAntiAffinity) {
    podTerms(errors, `${path}.podAntiAffinity`, value.podAntiAffinity, scope);
  }
}

interface ValueOptions {
  readonly allowInvalidValues: boolean;
}

/** At least one term; also used for volumes and device claims. */
export function nodeSelector(
  errors: Errors,
  path: string,
  selector: NodeSelector,
  options: ValueOptions = { allowInvalidValues: false },
): void {
  const terms = selector.nodeSelectorTerms ?? [];
  const at = `${path}.nodeSelectorTerms`;
  if (terms.length === 0) {
    errors.push(fieldError.required(at, 'must have at least one node selector term'));
  }
  terms.forEach((term, i) => nodeSelectorTerm(errors, `${at}[${i}]`, term, options));
}

function nodeSelectorTerm(
  errors: Errors,
  path: string,
  term: NodeSelectorTerm,
  options: ValueOptions,
): void {
  term.matchExpressions?.forEach((requirement, i) => {
    nodeLabelRequirement(errors, `${path}.matchExpressions[${i}]`, requirement, options);
  });
  term.matchFields?.forEach((requirement, i) => {
    nodeFieldRequirement(errors, `${path}.matchFields[${i}]`, requirement);
  });
}

function nodeLabelRequirement(
  errors: Errors,
  path: string,
  requirement: NodeSelectorRequirement,
  options: ValueOptions,
): void {
  const values = requirement.values ?? [];
  const at = `${path}.values`;
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        const why = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(fieldError.required(at, why));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldError.forbidden(at, why));
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        const why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
        errors.push(fieldError.required(at, why));
      }
      break;
    default:
      unknownOperator(errors, path, requirement);
  }
  conforms(errors, `${path}.key`, requirement.key, qualifiedName);
  if (options.allowInvalidValues) return;
  values.forEach((value, i) => conforms(errors, `${at}[${i}]`, value, labelValue));
}

function nodeFieldRequirement(
  errors: Errors,
  path: string,
  requirement: NodeSelectorRequirement,
): void {
  const values = requirement.values ?? [];
  if (requirement.operator !== 'In' && requirement.operator !== 'NotIn') {
    unknownOperator(errors, path, requirement);
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(fieldError.required(`${path}.values`, why));
  }
  if (requirement.key !== 'metadata.name') {
    const why = 'not a valid field selector key';
    errors.push(fieldError.invalid(`${path}.key`, requirement.key, why));
    return;
  }
  values.forEach((value, i) => conforms(errors, `${path}.values[${i}]`, value, dns1123Subdomain));
}

function unknownOperator(
  errors: Errors,
  path: string,
  { operator }: NodeSelectorRequirement,
): void {
  errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
}

function weight(errors: Errors, path: string, value: number): void {
  if (value > 0 && value <= 100) return;
  errors.push(fieldError.invalid(path, value, 'must be in the range 1-100'));
}

function podTerms(
  errors: Errors,
  path: string,
  value: PodAffinity | PodAntiAffinity,
  scope: AffinityScope,
): void {
  value.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    podTerm(errors, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term, scope);
  });
  value.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    weight(errors, `${at}.weight`, term.weight);
    podTerm(errors, `${at}.podAffinityTerm`, term.podAffinityTerm, scope);
  });
}

function podTerm(errors: Errors, path: string, term: PodAffinityTerm, scope: AffinityScope): void {
  const options = { allowInvalidValues: scope.options.allowInvalidLabelValueInSelector };
  labelSelector(errors, `${path}.labelSelector`, term.labelSelector, options);
  labelSelector(errors, `${path}.namespaceSelector`, term.namespaceSelector, options);
  for (const name of term.namespaces ?? []) {
    conforms(errors, `${path}.namespace`, name, dns1123Label);
  }
  labelKeys(errors, path, term);
  if (term.topologyKey === '') {
    errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'));
  }
  conforms(errors, `${path}.topologyKey`, term.topologyKey, qualifiedName);
}

/** Label keys whose values are taken from the pod when it is made (KEP-3633). */
function labelKeys(errors: Errors, path: string, term: PodAffinityTerm): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector: selector } = term;
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys = term[field] ?? [];
    if (keys.length === 0) continue;
    if (!selector) {
      const why = 'must not be specified when labelSelector is not set';
      errors.push(fieldError.forbidden(`${path}.${field}`, why));
      continue;
    }
    keys.forEach((key, i) => conforms(errors, `${path}.${field}[${i}]`, key, qualifiedName));
  }
  repeatedKeys(errors, path, matchLabelKeys, selector);
  matchLabelKeys.forEach((key, i) => {
    if (!mismatchLabelKeys.includes(key)) return;
    const why = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(fieldError.invalid(`${path}.matchLabelKeys[${i}]`, key, why));
  });
}

/**
 * By now the selector holds a requirement for each of the keys, so a key that it names twice was
 * also named by the user.
 */
export function repeatedKeys(
  errors: Errors,
  path: string,
  keys: readonly string[],
  selector: LabelSelectorLike | undefined,
): void {
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key = '' } of selector?.matchExpressions ?? []) {
    const index = keys.lastIndexOf(key);
    if (index >= 0 && seen.has(key)) {
      const why = 'exists in both matchLabelKeys and labelSelector';
      errors.push(fieldError.invalid(`${path}[${index}]`, key, why));
    }
    seen.add(key);
  }
}
