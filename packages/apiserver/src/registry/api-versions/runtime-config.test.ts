import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBuiltinVersions, parseRuntimeConfig } from './runtime-config.ts';

const gvr = (text: string) => {
  const [group = '', version = '', resource = ''] = text.split('/');
  return { group, version, resource };
};
const pods = '/v1/pods';
const deployments = 'apps/v1/deployments';
const addresses = 'networking.k8s.io/v1beta1/ipaddresses';
const cidrs = 'networking.k8s.io/v1beta1/servicecidrs';
const policies = 'admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicies';

describe('which versions are served', () => {
  const rows: readonly [config: string, minor: number, served: string[], not: string[]][] = [
    ['', 36, [pods, deployments, 'networking.k8s.io/v1/ipaddresses'], [addresses, policies]],
    ['api/beta=true', 36, [pods, addresses, cidrs], [policies]],
    ['api/alpha=true', 36, [pods, policies], [addresses]],
    ['api/all=true', 36, [pods, addresses, policies], []],
    ['api/all=false,/v1=true', 36, [pods], [deployments, addresses]],
    ['api/ga=false,api/beta=true', 36, [addresses], [pods, deployments]],
    ['api/all=false,api/ga=true', 36, [pods, deployments], [addresses]],
    ['networking.k8s.io/v1beta1=true', 36, [addresses, cidrs], [policies]],
    ['networking.k8s.io/v1beta1', 36, [addresses, cidrs], [policies]],
    ['networking.k8s.io/v1beta1/ipaddresses=true', 36, [addresses], [cidrs]],
    [
      'networking.k8s.io/v1beta1=true,networking.k8s.io/v1beta1/ipaddresses=false',
      36,
      [cidrs],
      [addresses],
    ],
    ['apps/v1=false', 36, [pods], [deployments]],
    ['apps/v1/deployments=0', 36, ['apps/v1/statefulsets'], [deployments]],
    ['apps/v1=false,apps/v1=true', 36, [deployments], []],
    ['apps/v1beta1=true', 36, [deployments], []],
    // What the emulated release does not have cannot be asked for.
    ['api/all=true', 30, [], [addresses, 'resource.k8s.io/v1/resourceclaims']],
    ['api/all=true', 31, [addresses], ['networking.k8s.io/v1/ipaddresses']],
    ['', 33, ['networking.k8s.io/v1/ipaddresses'], ['resource.k8s.io/v1/resourceclaims']],
    ['', 34, ['resource.k8s.io/v1/deviceclasses'], []],
    [
      '',
      26,
      [
        'flowcontrol.apiserver.k8s.io/v1beta3/flowschemas',
        'flowcontrol.apiserver.k8s.io/v1beta2/flowschemas',
      ],
      [
        'flowcontrol.apiserver.k8s.io/v1/flowschemas',
        'authentication.k8s.io/v1/selfsubjectreviews',
      ],
    ],
    [
      'api/all=true',
      32,
      ['flowcontrol.apiserver.k8s.io/v1/flowschemas'],
      ['flowcontrol.apiserver.k8s.io/v1beta3/flowschemas'],
    ],
  ];
  for (const [config, minor, served, not] of rows) {
    it(`1.${minor} ${config || '(nothing)'}`, () => {
      const versions = createBuiltinVersions(parseRuntimeConfig([config]), minor);
      for (const text of served) assert.equal(versions.isServed(gvr(text)), true, text);
      for (const text of not) assert.equal(versions.isServed(gvr(text)), false, text);
    });
  }

  it('repeated flags add up', () => {
    const config = parseRuntimeConfig(['api/beta=true', 'apps/v1=false,api/alpha=true']);
    assert.deepEqual([...config.keys()], ['api/beta', 'apps/v1', 'api/alpha']);
  });

  const refused: readonly [config: string, message: string][] = [
    ['api/all=false', 'invalid key with only api/all=false'],
    ['v1=true', 'runtime-config invalid key v1'],
    ['a/b/c/d=true', 'runtime-config invalid key a/b/c/d'],
    ['example.com/v1=true,example.org/v1=true', 'unknown api groups example.com,example.org'],
    ['api/v1=true', 'unknown api groups api'],
    ['apps/v7=true', 'group version apps/v7 that has not been registered'],
    ['api/beta=yes', 'invalid value api/beta=yes'],
    ['api/all=,apps/v1=true', 'invalid value api/all='],
    [
      'apps/v1=maybe',
      'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      'apps/v1/Deployment=true',
      'invalid key apps/v1/Deployment: group/version/resource and resource is always lowercase plural, not "Deployment"',
    ],
    [
      'coordination.k8s.io/v1beta1=true',
      'runtime-config: coordination.k8s.io/v1beta1 is not served by Keelson',
    ],
  ];
  for (const [config, message] of refused)
    it(`${config} is refused`, () =>
      assert.throws(() => createBuiltinVersions(parseRuntimeConfig([config]), 36), {
        name: 'RuntimeConfigError',
        message,
      }));
});
