import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goFieldName } from './go-field-names.ts';

const cases: readonly [struct: string, json: string, go: string][] = [
  ['PodSpec', 'nodeName', 'NodeName'],
  ['PodSpec', 'dnsPolicy', 'DNSPolicy'],
  ['PodSpec', 'hostPID', 'HostPID'],
  ['PodSpec', 'serviceAccount', 'DeprecatedServiceAccount'],
  ['PodSpec', 'serviceAccountName', 'ServiceAccountName'],
  ['ServiceAccountTokenProjection', 'serviceAccount', 'ServiceAccount'],
  ['PodTemplateSpec', 'metadata', 'ObjectMeta'],
  ['PersistentVolumeClaimTemplate', 'metadata', 'ObjectMeta'],
  ['RBDVolumeSource', 'image', 'RBDImage'],
  ['Container', 'image', 'Image'],
  ['GlusterfsVolumeSource', 'endpoints', 'EndpointsName'],
  ['Subset', 'endpoints', 'Endpoints'],
  ['ISCSIVolumeSource', 'chapAuthSession', 'SessionCHAPAuth'],
  ['ScaleIOVolumeSource', 'sslEnabled', 'SSLEnabled'],
];

for (const [struct, json, go] of cases) {
  test(`${struct}.${json} is ${go}`, () => assert.equal(goFieldName(struct, json), go));
}
