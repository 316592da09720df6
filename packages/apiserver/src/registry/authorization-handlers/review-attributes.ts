// From the spec of an access review to the question that authorizers are asked. Selectors may come
// as text or as requirements; what cannot be read is left out and named in the review's evaluation
// error.

import {
  createLabelRequirement,
  parseFieldSelector,
  parseLabelSelector,
  type LabelOperator,
} from '@keelson/apimachinery';
import {
  toFieldSelectorRequirement,
  toLabelSelectorRequirement,
} from '../../authorization/attributes.ts';
import type {
  RequestAttributes,
  ResourceAttributes,
  SelectorRequirement,
} from '../../authorization/authorizer.ts';
import type { UserInfo } from '../../authentication/authenticator.ts';

interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}
/** The specs of SubjectAccessReview and SelfSubjectAccessReview. */
export interface AccessReviewSpec {
  readonly resourceAttributes?: Partial<
    Record<keyof Omit<ResourceAttributes, 'isResource' | 'fieldSelector' | 'labelSelector'>, string>
  > & {
    readonly fieldSelector?: SelectorAttributes;
    readonly labelSelector?: SelectorAttributes;
  };
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ReviewQuestion {
  readonly attributes: RequestAttributes;
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** COMPAT: nothing is added, not even `system:authenticated`; the caller names all groups. */
export function userOfReview(spec: AccessReviewSpec): UserInfo {
  const { user = '', uid = '', groups = [], extra = {} } = spec;
  return { name: user, uid, groups, extra };
}

/** Reads a valid spec. An empty version means every version. */
export function toReviewQuestion(spec: AccessReviewSpec): ReviewQuestion {
  const given = spec.resourceAttributes;
  if (given === undefined) {
    const { path = '', verb = '' } = spec.nonResourceAttributes ?? {};
    return { attributes: { isResource: false, verb, path }, problems: [] };
  }
  const {
    verb = '',
    namespace = '',
    group = '',
    version,
    resource = '',
    subresource = '',
    name = '',
  } = given;
  const problems: string[] = [];
  const note = (field: string, read: Selector | undefined) => {
    if (read?.failed !== true) return;
    const how = read.requirements.length > 0 ? 'partially ignored' : 'ignored';
    problems.push(`spec.resourceAttributes.${field} ${how} due to parse error`);
  };
  const fields = given.fieldSelector && readFieldSelector(given.fieldSelector);
  const labels = given.labelSelector && readLabelSelector(given.labelSelector);
  note('fieldSelector', fields);
  note('labelSelector', labels);
  const attributes: ResourceAttributes = {
    isResource: true,
    verb,
    namespace,
    group,
    version: version || '*',
    resource,
    subresource,
    name,
    ...(fields?.requirements.length ? { fieldSelector: fields.requirements } : {}),
    ...(labels?.requirements.length ? { labelSelector: labels.requirements } : {}),
  };
  return { attributes, problems };
}

interface Selector {
  readonly requirements: readonly SelectorRequirement[];
  /** Something was left out. */
  readonly failed: boolean;
}

function readFieldSelector({ rawSelector, requirements = [] }: SelectorAttributes): Selector {
  if (requirements.length === 0)
    return readText(() =>
      parseFieldSelector(rawSelector ?? '').requirements.map(toFieldSelectorRequirement),
    );
  // Fields can be compared with one value only.
  const readable = requirements.flatMap(({ key, operator, values = [] }) =>
    (operator === 'In' || operator === 'NotIn') && values.length === 1
      ? [{ key, operator, values } as const]
      : [],
  );
  return { requirements: readable, failed: readable.length < requirements.length };
}

const labelOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

function readLabelSelector({ rawSelector, requirements = [] }: SelectorAttributes): Selector {
  if (requirements.length === 0)
    return readText(() =>
      (parseLabelSelector(rawSelector ?? '').requirements ?? []).flatMap(
        toLabelSelectorRequirement,
      ),
    );
  const readable = requirements.flatMap(({ key, operator, values = [] }) => {
    const known = Object.hasOwn(labelOperators, operator) ? labelOperators[operator] : undefined;
    if (known === undefined) return [];
    const read = readText(() =>
      toLabelSelectorRequirement(createLabelRequirement(key, known, values)),
    );
    return read.requirements;
  });
  return { requirements: readable, failed: readable.length < requirements.length };
}

function readText(read: () => SelectorRequirement[]): Selector {
  try {
    return { requirements: read(), failed: false };
  } catch {
    return { requirements: [], failed: true };
  }
}
