import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFeatures } from '../../features/create-features.ts';
import { createBuiltinVersions, parseRuntimeConfig } from './runtime-config.ts';

const gvr = (text: string) => {
  const [group = '', version = '', resource = ''] = text.split('/');
  return { group, version, resource };
};
const versionsOf = (config: string, minor: number, gates: Record<string, boolean> = {}) =>
  createBuiltinVersions(
    parseRuntimeConfig([config]),
    createFeatures({ emulatedVersion: `1.${minor}`, featureGates: gates }),
  );
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
      const versions = versionsOf(config, minor);
      for (const text of served) assert.equal(versions.isServed(gvr(text)), true, text);
      for (const text of not) assert.equal(versions.isServed(gvr(text)), false, text);
    });
  }

  const gated: readonly [resource: string, gate: string, from: number, until: number][] = [
    ['certificates.k8s.io/v1alpha1/clustertrustbundles', 'ClusterTrustBundle', 27, 36],
    ['certificates.k8s.io/v1beta1/clustertrustbundles', 'ClusterTrustBundle', 33, 36],
    ['certificates.k8s.io/v1alpha1/podcertificaterequests', 'PodCertificateRequest', 34, 34],
    ['certificates.k8s.io/v1beta1/podcertificaterequests', 'PodCertificateRequest', 35, 36],
    ['coordination.k8s.io/v1alpha2/leasecandidates', '', 32, 36],
    ['coordination.k8s.io/v1beta1/leasecandidates', '', 33, 36],
    ['internal.apiserver.k8s.io/v1alpha1/storageversions', '', 26, 36],
    ['resource.k8s.io/v1alpha3/devicetaintrules', 'DRADeviceTaintRules', 35, 36],
    ['resource.k8s.io/v1alpha3/devicetaintrules', 'DRADeviceTaints', 33, 34],
    ['resource.k8s.io/v1beta2/devicetaintrules', 'DRADeviceTaintRules', 36, 36],
    ['resource.k8s.io/v1alpha3/resourcepoolstatusrequests', 'DRAResourcePoolStatus', 36, 36],
    ['scheduling.k8s.io/v1alpha2/podgroups', 'GenericWorkload', 36, 36],
    ['scheduling.k8s.io/v1alpha2/workloads', 'GenericWorkload', 36, 36],
    ['storagemigration.k8s.io/v1beta1/storageversionmigrations', 'StorageVersionMigrator', 35, 36],
  ];
  for (const [resource, gate, from, until] of gated)
    it(`${resource} needs ${gate || 'no gate'}, from 1.${from} to 1.${until}`, () => {
      const on = gate === '' ? {} : { [gate]: true };
      for (let minor = 26; minor <= 36; minor++) {
        const exists = minor >= from && minor <= until;
        const ask = (config: string, gates: Record<string, boolean>) =>
          versionsOf(config, minor, gates).isServed(gvr(resource));
        if (exists) {
          assert.equal(ask('api/all=true', on), true, `1.${minor}`);
          assert.equal(ask(`${resource}=true`, on), true, `1.${minor}`);
          assert.equal(ask('', on), false, `1.${minor}`);
        }
        if (!exists || gate !== '') assert.equal(ask('api/all=true', {}), false, `1.${minor}`);
      }
    });

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
  ];
  for (const [config, message] of refused)
    it(`${config} is refused`, () =>
      assert.throws(() => versionsOf(config, 36), {
        name: 'RuntimeConfigError',
        message,
      }));
});
