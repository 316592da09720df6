import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  configurationGroup,
  defaultConfiguration,
  defaultPolicyOf,
  parsePodSecurityConfiguration,
  validatePodSecurityConfiguration,
} from './configuration.ts';
import { renderFieldError } from './field-error.ts';
import { formatLevelVersion } from './level-version.ts';

const kind = 'PodSecurityConfiguration';
const apiVersion = `${configurationGroup}/v1`;

describe('parsePodSecurityConfiguration', () => {
  it('gives privileged and latest where nothing is written', () => {
    for (const object of [
      undefined,
      null,
      { kind, apiVersion },
      { kind, apiVersion, defaults: null },
    ]) {
      assert.deepEqual(parsePodSecurityConfiguration(object), defaultConfiguration);
    }
    assert.deepEqual(defaultConfiguration.defaults, {
      enforce: 'privileged',
      'enforce-version': 'latest',
      audit: 'privileged',
      'audit-version': 'latest',
      warn: 'privileged',
      'warn-version': 'latest',
    });
  });

  for (const version of ['v1', 'v1beta1', 'v1alpha1']) {
    it(`reads ${version}`, () => {
      const configuration = parsePodSecurityConfiguration({
        kind,
        apiVersion: `${configurationGroup}/${version}`,
        defaults: { enforce: 'baseline', 'enforce-version': 'v1.7', warn: '' },
        exemptions: {
          usernames: ['alice', 'bob'],
          namespaces: ['kube-system'],
          runtimeClasses: null,
        },
      });
      assert.deepEqual(configuration.exemptions, {
        usernames: ['alice', 'bob'],
        namespaces: ['kube-system'],
        runtimeClasses: [],
      });
      const policy = defaultPolicyOf(configuration);
      assert.equal(formatLevelVersion(policy.enforce), 'baseline:v1.7');
      assert.equal(formatLevelVersion(policy.warn), 'privileged:latest');
    });
  }

  const refused: [name: string, object: unknown, text: string][] = [
    ['no kind', { apiVersion }, `Object 'Kind' is missing in '{"apiVersion":"${apiVersion}"}'`],
    ['no apiVersion', { kind }, `Object 'apiVersion' is missing in '{"kind":"${kind}"}'`],
    [
      'another group',
      { kind, apiVersion: 'apps/v1' },
      `no kind "${kind}" is registered for version "apps/v1"`,
    ],
    [
      'another version',
      { kind, apiVersion: `${configurationGroup}/v99` },
      `no kind "${kind}" is registered for version "${configurationGroup}/v99"`,
    ],
    [
      'another kind',
      { kind: 'Some', apiVersion },
      `no kind "Some" is registered for version "${apiVersion}"`,
    ],
    [
      'an unknown field',
      { kind, apiVersion, deflaults: {} },
      'strict decoding error: unknown field "deflaults"',
    ],
    [
      'unknown fields deeper down',
      { kind, apiVersion, defaults: { enforced: 'x' }, exemptions: { users: [] } },
      'strict decoding error: unknown field "defaults.enforced", unknown field "exemptions.users"',
    ],
    [
      'a list',
      [],
      'json: cannot unmarshal array into Go struct field PodSecurityConfiguration of type object',
    ],
    [
      'a number for a level',
      { kind, apiVersion, defaults: { enforce: 1 } },
      'json: cannot unmarshal number into Go struct field PodSecurityConfiguration.defaults.enforce of type string',
    ],
    [
      'a string for a list',
      { kind, apiVersion, exemptions: { usernames: 'alice' } },
      'json: cannot unmarshal string into Go struct field PodSecurityConfiguration.exemptions.usernames of type []string',
    ],
    [
      'a boolean in a list',
      { kind, apiVersion, exemptions: { usernames: [true] } },
      'json: cannot unmarshal bool into Go struct field PodSecurityConfiguration.exemptions.usernames of type string',
    ],
  ];
  for (const [name, object, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parsePodSecurityConfiguration(object), { message });
    });
  }
});

describe('validatePodSecurityConfiguration', () => {
  const subdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const labelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const long = 'n'.repeat(64);
  const rows: [name: string, fields: object, errors: string[]][] = [
    ['the defaults', {}, []],
    [
      'levels and versions',
      {
        defaults: {
          enforce: 'a',
          'enforce-version': 'v2.0',
          audit: 'b',
          'audit-version': '1',
          warn: 'c',
          'warn-version': 'x',
        },
      },
      [
        'defaults.enforce: Invalid value: "a": must be one of privileged, baseline, restricted',
        'defaults.enforce-version: Invalid value: "v2.0": must be "latest" or "v1.x"',
        'defaults.warn: Invalid value: "c": must be one of privileged, baseline, restricted',
        'defaults.warn-version: Invalid value: "x": must be "latest" or "v1.x"',
        'defaults.audit: Invalid value: "b": must be one of privileged, baseline, restricted',
        'defaults.audit-version: Invalid value: "1": must be "latest" or "v1.x"',
      ],
    ],
    [
      'namespaces',
      { exemptions: { namespaces: ['ok', 'a.b', 'No', 'ok', long] } },
      [
        'exemptions.namespaces[1]: Invalid value: "a.b": must not contain dots',
        `exemptions.namespaces[2]: Invalid value: "No": ${labelRule}`,
        'exemptions.namespaces[3]: Duplicate value: "ok"',
        `exemptions.namespaces[4]: Invalid value: "${long}": must be no more than 63 characters`,
      ],
    ],
    [
      'runtime classes',
      { exemptions: { runtimeClasses: ['a.b', 'a..b', 'a.b'] } },
      [
        `exemptions.runtimeClasses[1]: Invalid value: "a..b": ${subdomainRule}`,
        'exemptions.runtimeClasses[2]: Duplicate value: "a.b"',
      ],
    ],
    [
      'user names',
      { exemptions: { usernames: ['system:serviceaccount:a:b', '', 'x', 'x'] } },
      [
        'exemptions.usernames[1]: Invalid value: "": username must not be empty',
        'exemptions.usernames[3]: Duplicate value: "x"',
      ],
    ],
  ];
  for (const [name, fields, errors] of rows) {
    it(`judges ${name}`, () => {
      const configuration = parsePodSecurityConfiguration({ kind, apiVersion, ...fields });
      const found = validatePodSecurityConfiguration(configuration);
      assert.deepEqual(found.map(renderFieldError), errors);
    });
  }
});
