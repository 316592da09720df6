import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import { validateTokenRequest } from '../authentication/token-request-validation.ts';
import { readObject } from '../testing/run-strategy.ts';
import {
  validateLocalSubjectAccessReview,
  validateSelfSubjectAccessReview,
  validateSubjectAccessReview,
} from './access-review-validation.ts';

const validators = {
  SubjectAccessReview: validateSubjectAccessReview,
  LocalSubjectAccessReview: validateLocalSubjectAccessReview,
  SelfSubjectAccessReview: validateSelfSubjectAccessReview,
};
const pods = { verb: 'get', resource: 'pods' };
const where = 'spec.resourceAttributes';

const rows: readonly (readonly [
  string,
  keyof typeof validators,
  object,
  object,
  readonly string[],
])[] = [
  ['a resource', 'SubjectAccessReview', { user: 'ann', resourceAttributes: pods }, {}, []],
  [
    'groups without a user',
    'SubjectAccessReview',
    { groups: ['devs'], resourceAttributes: pods },
    {},
    [],
  ],
  [
    'nothing',
    'SubjectAccessReview',
    {},
    {},
    [
      `${where}: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified`,
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ],
  ],
  [
    'both',
    'SelfSubjectAccessReview',
    { resourceAttributes: pods, nonResourceAttributes: { path: '/a' } },
    {},
    [
      'spec.nonResourceAttributes: Invalid value: {"Path":"/a","Verb":""}: cannot be specified in combination with resourceAttributes',
    ],
  ],
  [
    'a name',
    'SelfSubjectAccessReview',
    { resourceAttributes: pods },
    { name: 'x' },
    ['metadata: Invalid value: {"name":"x"}: must be empty'],
  ],
  [
    'a local one',
    'LocalSubjectAccessReview',
    { user: 'ann', resourceAttributes: { ...pods, namespace: 'a' } },
    { namespace: 'a' },
    [],
  ],
  [
    'a local one elsewhere',
    'LocalSubjectAccessReview',
    { user: 'ann', resourceAttributes: { ...pods, namespace: 'b' } },
    { namespace: 'a' },
    [`${where}.namespace: Invalid value: "b": must match metadata.namespace`],
  ],
  [
    'a local one with a URL',
    'LocalSubjectAccessReview',
    { user: 'ann', nonResourceAttributes: { path: '/' } },
    { namespace: 'a', name: 'x' },
    [
      'metadata: Invalid value: {"name":"x","namespace":"a"}: must be empty except for namespace',
      'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":""}: disallowed on this kind of request',
    ],
  ],
  [
    'selectors of both forms',
    'SelfSubjectAccessReview',
    {
      resourceAttributes: {
        ...pods,
        fieldSelector: {
          rawSelector: 'a=b',
          requirements: [{ key: 'a', operator: 'In', values: ['b'] }],
        },
      },
    },
    {},
    [
      `${where}.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
    ],
  ],
  [
    'selectors of no form',
    'SelfSubjectAccessReview',
    { resourceAttributes: { ...pods, labelSelector: {} } },
    {},
    [
      `${where}.labelSelector.requirements: Required value: when ${where}.labelSelector is specified, requirements or rawSelector is required`,
    ],
  ],
  [
    'operators of a newer client',
    'SelfSubjectAccessReview',
    {
      resourceAttributes: {
        ...pods,
        labelSelector: { requirements: [{ key: 'a', operator: 'Near' }] },
      },
    },
    {},
    [],
  ],
  [
    'a requirement without its values',
    'SelfSubjectAccessReview',
    {
      resourceAttributes: { ...pods, fieldSelector: { requirements: [{ operator: 'In' }] } },
    },
    {},
    [
      `${where}.fieldSelector.requirements[0].key: Required value: must be specified`,
      `${where}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
    ],
  ],
];

for (const [name, kind, spec, metadata, expected] of rows) {
  test(`access review: ${name}`, () => {
    const review = readObject({ apiVersion: 'authorization.k8s.io/v1', kind, metadata, spec });
    assert.deepEqual(validators[kind](review).map(renderFieldError), expected);
  });
}

const durations = [
  [undefined, []],
  [600, []],
  [
    599,
    ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'],
  ],
  [
    2 ** 32 + 1,
    [
      'spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
  ],
] as const;

for (const [expirationSeconds, expected] of durations) {
  test(`token request of ${expirationSeconds} seconds`, () => {
    const spec = expirationSeconds === undefined ? {} : { expirationSeconds };
    const errors = validateTokenRequest({ metadata: {}, spec });
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}
