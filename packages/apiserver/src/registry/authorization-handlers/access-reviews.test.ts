import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldError, isStatusError, noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import type {
  Authorizer,
  RequestAttributes,
  RuleResolver,
} from '../../authorization/authorizer.ts';
import type { RequestContext } from '../../request-context.ts';
import type { HandlerRequest } from '../handlers.ts';
import { createAccessReviewHandlers } from './access-reviews.ts';

const caller = { name: 'me', uid: '', groups: ['g'], extra: {} };
const seen: { user: string; attributes: RequestAttributes }[] = [];
const authorizer: Authorizer = {
  name: 'test',
  authorize(user, attributes) {
    seen.push({ user: `${user.name} [${user.groups.join(' ')}]`, attributes });
    return user.name === 'denied'
      ? { decision: 'deny', reason: 'no', evaluationError: 'e' }
      : {
          decision: user.name === 'me' ? 'allow' : 'no-opinion',
          reason: user.name === 'me' ? 'yes' : '',
        };
  },
};
const rules: RuleResolver = {
  rulesFor: async (user, namespace) => ({
    resourceRules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: [] },
      {
        verbs: ['get'],
        apiGroups: [''],
        resources: ['pods'],
        resourceNames: [`${user.name}-${namespace}`],
      },
    ],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
    incomplete: false,
    evaluationError: '',
  }),
};

async function review(
  resource: string,
  spec: object,
  more: { namespace?: string; metadata?: object; version?: string; invalid?: boolean } = {},
) {
  const validate = () => (more.invalid ? [fieldError.required('spec.x')] : []);
  const handlers = createAccessReviewHandlers({
    authorizer,
    rules,
    features: createFeatures(more.version === undefined ? {} : { emulatedVersion: more.version }),
    validators: {
      subjectAccessReview: validate,
      localSubjectAccessReview: validate,
      selfSubjectAccessReview: validate,
    },
  });
  const handler = handlers.find((h) => h.resource.resource === resource);
  assert.ok(handler);
  const object: KubeObject = {
    kind: 'K',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: more.metadata ?? {},
    spec,
  };
  const request: HandlerRequest = {
    context: { user: caller, trace: noDecisionTrace } as unknown as RequestContext,
    namespace: more.namespace ?? '',
    name: '',
    dryRun: false,
    options: undefined,
    validateAdmission: async () => {},
  };
  try {
    return (await handler.create(object, request)).object;
  } catch (error) {
    assert.ok(isStatusError(error));
    return `${error.code} ${error.message}`;
  }
}
const statusOf = (object: KubeObject | string) =>
  typeof object === 'string' ? object : object['status'];
const sar = (user: string, resourceAttributes: object) =>
  review('subjectaccessreviews', { user, resourceAttributes }).then(statusOf);

test('who is asked about what', async () => {
  assert.deepEqual(await sar('ann', { verb: 'list', resource: 'pods' }), { allowed: false });
  const pods = {
    isResource: true,
    verb: 'list',
    namespace: '',
    group: '',
    version: '*',
    resource: 'pods',
    subresource: '',
    name: '',
  };
  assert.deepEqual(seen.at(-1), { user: 'ann []', attributes: pods });
  assert.deepEqual(await sar('denied', {}), {
    allowed: false,
    denied: true,
    reason: 'no',
    evaluationError: 'e',
  });
  assert.deepEqual(
    statusOf(
      await review('selfsubjectaccessreviews', {
        nonResourceAttributes: { path: '/x', verb: 'get' },
      }),
    ),
    { allowed: true, reason: 'yes' },
  );
  assert.deepEqual(seen.at(-1), {
    user: 'me [g]',
    attributes: { isResource: false, verb: 'get', path: '/x' },
  });
  const local = await review(
    'localsubjectaccessreviews',
    { user: 'ann', resourceAttributes: { namespace: 'shop' } },
    { namespace: 'shop' },
  );
  assert.ok(typeof local === 'object');
  assert.deepEqual(local.metadata, { namespace: 'shop' });
});

test('selectors', async () => {
  const field = 'spec.resourceAttributes.fieldSelector';
  const label = 'spec.resourceAttributes.labelSelector';
  const rows: [attributes: object, error: string | undefined, kept: number][] = [
    [{ fieldSelector: { rawSelector: 'a=b,c!=d' } }, undefined, 2],
    [{ fieldSelector: { rawSelector: 'a==b==c' } }, `${field} ignored due to parse error`, 0],
    [
      { fieldSelector: { requirements: [{ key: 'x', operator: 'In', values: ['y'] }] } },
      undefined,
      1,
    ],
    [
      { fieldSelector: { requirements: [{ key: 'x', operator: 'In', values: ['y', 'z'] }] } },
      `${field} ignored due to parse error`,
      0,
    ],
    [
      {
        fieldSelector: {
          requirements: [
            { key: 'x', operator: 'Exists' },
            { key: 'x', operator: 'NotIn', values: ['y'] },
          ],
        },
      },
      `${field} partially ignored due to parse error`,
      1,
    ],
    [
      {
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'NotIn', values: ['b', 'a'] },
            { key: 'x', operator: 'Exists' },
          ],
        },
      },
      undefined,
      2,
    ],
    [
      {
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'Near' },
            { key: 'x', operator: 'DoesNotExist' },
          ],
        },
      },
      `${label} partially ignored due to parse error`,
      1,
    ],
    [
      { labelSelector: { requirements: [{ key: 'a b', operator: 'Exists' }] } },
      `${label} ignored due to parse error`,
      0,
    ],
    [
      { fieldSelector: { rawSelector: 'a' }, labelSelector: { rawSelector: ',,' } },
      `${field} ignored due to parse error; ${label} ignored due to parse error`,
      0,
    ],
  ];
  for (const [attributes, error, kept] of rows) {
    const status = await sar('ann', { verb: 'list', resource: 'pods', ...attributes });
    const what = JSON.stringify(attributes);
    assert.deepEqual(
      status,
      { allowed: false, ...(error === undefined ? {} : { evaluationError: error }) },
      what,
    );
    const asked = seen.at(-1)?.attributes;
    assert.ok(asked?.isResource);
    assert.equal((asked.fieldSelector ?? asked.labelSelector ?? []).length, kept, what);
  }
  const old = await review(
    'subjectaccessreviews',
    { user: 'ann', resourceAttributes: { verb: 'list', fieldSelector: { rawSelector: 'a' } } },
    { version: '1.30' },
  );
  assert.ok(typeof old === 'object');
  assert.deepEqual(old['spec'], { user: 'ann', resourceAttributes: { verb: 'list' } });
});

test('refusals of reviews', async () => {
  assert.equal(
    await review('subjectaccessreviews', {}, { invalid: true }),
    '422 .authorization.k8s.io "" is invalid: spec.x: Required value',
  );
  assert.equal(
    await review(
      'localsubjectaccessreviews',
      {},
      { namespace: 'shop', metadata: { namespace: 'bank' } },
    ),
    '400 the namespace of the provided object does not match the namespace sent on the request',
  );
  assert.equal(await review('selfsubjectrulesreviews', {}), '400 no namespace on request');
});

test('my rules', async () => {
  assert.deepEqual(await review('selfsubjectrulesreviews', { namespace: 'shop' }), {
    kind: 'K',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: {},
    status: {
      resourceRules: [
        { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
        { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['me-shop'] },
      ],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
      incomplete: false,
    },
  });
});
