// AppArmor by release (KEP-24): fields, annotations, and how each follows the other.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestServer, type TestAnswer } from '../../../testing.ts';

const prefix = 'container.apparmor.security.beta.kubernetes.io/';
const deprecated = (container: string, path = '') =>
  `${path}metadata.annotations[${prefix}${container}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}
interface Pod {
  /** The annotation of container `c`. */
  readonly annotation?: string;
  readonly annotated?: string;
  readonly pod?: Profile;
  readonly container?: Profile;
  readonly windows?: boolean;
}

function template({ annotation, annotated = 'c', pod, container, windows }: Pod) {
  const context = (appArmorProfile: Profile | undefined) =>
    appArmorProfile === undefined ? {} : { securityContext: { appArmorProfile } };
  return {
    metadata: {
      labels: { a: 'b' },
      ...(annotation !== undefined && { annotations: { [prefix + annotated]: annotation } }),
    },
    spec: {
      ...(windows === true && { os: { name: 'windows' } }),
      ...context(pod),
      containers: [{ name: 'c', image: 'i', ...context(container) }],
    },
  };
}

const runtimeDefault: Profile = { type: 'RuntimeDefault' };
const localhost: Profile = { type: 'Localhost', localhostProfile: 'foo' };
const field = 'spec.containers[0].securityContext.appArmorProfile';

interface Row {
  readonly what: string;
  readonly releases: readonly string[];
  readonly pod: Pod;
  readonly isDeployment?: boolean;
  /** What is stored of the container's field and annotation. */
  readonly stored?: { readonly container?: Profile; readonly annotation?: string };
  readonly warnings?: readonly string[];
  readonly refused?: string;
}

const withFields = ['1.30', '1.31', '1.33', '1.34', '1.36'];
const filledBack = ['1.30', '1.31', '1.33'];
const notFilledBack = ['1.34', '1.36'];
const all = ['1.26', ...withFields];

const rows: readonly Row[] = [
  {
    what: 'admission §3 (1): an annotation becomes the field, with a warning',
    releases: withFields,
    pod: { annotation: 'localhost/foo' },
    stored: { container: localhost, annotation: 'localhost/foo' },
    warnings: [deprecated('c')],
  },
  {
    what: 'admission §3 (1): before there were fields, an annotation is all',
    releases: ['1.26', '1.29'],
    pod: { annotation: 'localhost/foo' },
    stored: { annotation: 'localhost/foo' },
  },
  {
    what: 'admission §3 (2): the field of the pod becomes annotations',
    releases: filledBack,
    pod: { pod: runtimeDefault },
    stored: { annotation: 'runtime/default' },
  },
  {
    what: 'admission §3 (2): the field of the container comes first',
    releases: filledBack,
    pod: { pod: runtimeDefault, container: localhost },
    stored: { container: localhost, annotation: 'localhost/foo' },
  },
  {
    what: 'admission §3 (2): fields are not written back any more',
    releases: notFilledBack,
    pod: { pod: runtimeDefault, container: { type: 'Unconfined' } },
    stored: { container: { type: 'Unconfined' } },
  },
  {
    what: 'admission §3 (2): fields of later releases are dropped',
    releases: ['1.26', '1.29'],
    pod: { pod: runtimeDefault, container: localhost },
    stored: {},
  },
  {
    what: 'admission §3 (3): annotation and field of a container must agree',
    releases: withFields,
    pod: { annotation: 'unconfined', container: runtimeDefault },
    refused: `${field}.type: Forbidden: apparmor type in annotation and field must match`,
  },
  {
    what: 'admission §3 (3): an annotation comes before the field of the pod',
    releases: withFields,
    pod: { annotation: 'unconfined', pod: runtimeDefault },
    stored: { container: { type: 'Unconfined' }, annotation: 'unconfined' },
    warnings: [deprecated('c')],
  },
  {
    what: 'admission §3 (3): but not in a template',
    releases: withFields,
    isDeployment: true,
    pod: { annotation: 'unconfined', pod: runtimeDefault },
    refused: `spec.template.${field}.type: Forbidden: apparmor type in annotation and field must match`,
  },
  {
    what: 'admission §3 (3): the profiles must agree as well',
    releases: withFields,
    pod: { annotation: 'localhost/bar', container: localhost },
    refused: `${field}.localhostProfile: Forbidden: apparmor profile in annotation and field must match`,
  },
  {
    what: 'admission §3 (4): Localhost needs a profile',
    releases: withFields,
    pod: { container: { type: 'Localhost' } },
    refused: `${field}.localhostProfile: Required value: must be set when AppArmor type is Localhost`,
  },
  {
    what: 'admission §3 (4): and nothing else has one',
    releases: withFields,
    pod: { container: { type: 'RuntimeDefault', localhostProfile: 'x' } },
    refused: `${field}.localhostProfile: Invalid value: "x": can only be set when AppArmor type is Localhost`,
  },
  {
    what: 'admission §3 (4): types are known',
    releases: withFields,
    pod: { container: { type: 'Docker' } },
    refused: `${field}.type: Unsupported value: "Docker": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
  },
  {
    what: 'admission §3 (5): no field on Windows',
    releases: withFields,
    pod: { windows: true, pod: runtimeDefault },
    refused: 'spec.securityContext.appArmorProfile: Forbidden: cannot be set for a windows pod',
  },
  {
    what: 'admission §3 (5): no field on a container on Windows',
    releases: withFields,
    pod: { windows: true, container: runtimeDefault },
    refused: `${field}: Forbidden: cannot be set for a windows pod`,
  },
  {
    what: 'admission §3 (5): an annotation stays one on Windows',
    releases: withFields,
    pod: { windows: true, annotation: 'unconfined' },
    stored: { annotation: 'unconfined' },
  },
  {
    what: 'admission §3 (6): the container of an annotation is there',
    releases: all,
    pod: { annotation: 'unconfined', annotated: 'd' },
    refused: `metadata.annotations[${prefix}d]: Invalid value: "d": container not found`,
  },
  {
    what: 'admission §3 (6): annotations are known',
    releases: all,
    pod: { annotation: 'docker' },
    refused: `metadata.annotations[${prefix}c]: Invalid value: "docker": invalid AppArmor profile name: "docker"`,
  },
  {
    what: 'admission §3 (8): a template keeps its annotation, with a warning',
    releases: withFields,
    isDeployment: true,
    pod: { annotation: 'localhost/foo' },
    stored: { annotation: 'localhost/foo' },
    warnings: [deprecated('c', 'spec.template.')],
  },
  {
    what: "admission §3 (9): an annotation that says what the pod's field says needs no field",
    releases: withFields,
    pod: { annotation: 'runtime/default', pod: runtimeDefault },
    stored: { annotation: 'runtime/default' },
  },
  {
    what: 'admission §3 (10): an empty annotation becomes nothing, with a warning',
    releases: withFields,
    pod: { annotation: '' },
    stored: { annotation: '' },
    warnings: [deprecated('c')],
  },
];

const warningsOf = ({ headers }: TestAnswer): string[] =>
  [headers.get('warning') ?? []]
    .flat()
    .map((line) => line.replace(/^299 - "(.*)"$/s, '$1').replaceAll(/\\(.)/g, '$1'));

async function serve(emulatedVersion: string, t: { after(end: () => unknown): void }) {
  const server = await createTestServer({ emulatedVersion });
  t.after(() => server.close());
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  return server;
}

describe('AppArmor', () => {
  for (const row of rows)
    for (const release of row.releases)
      it(`${row.what}, ${release}`, async (t) => {
        const server = await serve(release, t);
        const given = template(row.pod);
        const answer =
          row.isDeployment === true
            ? await server.admin('POST', '/apis/apps/v1/namespaces/shop/deployments', {
                metadata: { name: 'p' },
                spec: { selector: { matchLabels: { a: 'b' } }, template: given },
              })
            : await server.admin('POST', '/api/v1/namespaces/shop/pods', {
                ...given,
                metadata: { ...given.metadata, name: 'p' },
              });
        const body = answer.json();
        if (row.refused !== undefined) {
          assert.equal(answer.status, 422, answer.text);
          assert.ok(String(body['message']).includes(row.refused), String(body['message']));
          return;
        }
        assert.equal(answer.status, 201, answer.text);
        type Stored = ReturnType<typeof template> & { metadata: { annotations?: object } };
        const stored = (
          row.isDeployment === true ? (body['spec'] as { template: Stored }).template : body
        ) as Stored;
        const [container] = stored.spec.containers as { securityContext?: object }[];
        assert.deepEqual(
          container?.securityContext ?? {},
          row.stored?.container === undefined ? {} : { appArmorProfile: row.stored.container },
        );
        const { annotation } = row.stored ?? {};
        assert.deepEqual(
          stored.metadata.annotations ?? {},
          annotation === undefined ? {} : { [`${prefix}c`]: annotation },
        );
        assert.deepEqual(warningsOf(answer), row.warnings ?? []);
      });

  for (const release of all)
    it(`admission §3 (7): annotations do not change, ${release}`, async (t) => {
      const server = await serve(release, t);
      const pods = '/api/v1/namespaces/shop/pods';
      for (const [name, before, after, why] of [
        ['added', {}, { [`${prefix}c`]: 'unconfined' }, 'may not add AppArmor annotations'],
        [
          'removed',
          { [`${prefix}c`]: 'unconfined' },
          {},
          'may not remove or update AppArmor annotations',
        ],
      ] as const) {
        const given = template({});
        const metadata = { ...given.metadata, name, annotations: before };
        const created = await server.admin('POST', pods, { ...given, metadata });
        assert.equal(created.status, 201, created.text);
        const stored = created.json() as { metadata: object };
        const changed = { ...stored, metadata: { ...stored.metadata, annotations: after } };
        const answer = await server.admin('PUT', `${pods}/${name}`, changed);
        assert.equal(answer.status, 422);
        const expected = `metadata.annotations[${prefix}c]: Forbidden: ${why}`;
        assert.ok(answer.text.includes(expected), answer.text);
      }
    });
});
