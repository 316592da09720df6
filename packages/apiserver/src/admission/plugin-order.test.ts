import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeatures } from '../features/create-features.ts';
import {
  allOrderedPlugins,
  defaultOnPlugins,
  enabledPlugins,
  pluginFlagErrors,
} from './plugin-order.ts';

const release = (minor: number) => createFeatures({ emulatedVersion: `1.${minor}` });

test('1.36 knows 41 plugins and turns 27 on, in the order of kube-apiserver', () => {
  const all = allOrderedPlugins(release(36));
  assert.equal(all.length, 41);
  assert.deepEqual(all.slice(0, 3), [
    'AlwaysAdmit',
    'NamespaceAutoProvision',
    'NamespaceLifecycle',
  ]);
  assert.deepEqual(all.slice(-6), [
    'MutatingAdmissionPolicy',
    'MutatingAdmissionWebhook',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionWebhook',
    'ResourceQuota',
    'AlwaysDeny',
  ]);
  assert.equal(defaultOnPlugins(release(36)).length, 27);
});

test('releases differ', () => {
  const rows: [name: string, minor: number, known: boolean, on: boolean][] = [
    ['SecurityContextDeny', 29, true, false],
    ['SecurityContextDeny', 30, false, false],
    ['ClusterTrustBundleAttest', 26, false, false],
    ['ClusterTrustBundleAttest', 27, true, true],
    ['MutatingAdmissionPolicy', 31, false, false],
    ['MutatingAdmissionPolicy', 32, true, true],
    ['PodTopologyLabels', 32, false, false],
    ['PodTopologyLabels', 33, true, true],
    ['NodeDeclaredFeatureValidator', 34, false, false],
    ['NodeDeclaredFeatureValidator', 35, true, true],
    ['PodResizeValidator', 35, false, false],
    ['PodResizeValidator', 36, true, true],
    ['NodeRestriction', 36, true, false],
    ['ResourceQuota', 26, true, true],
  ];
  for (const [name, minor, known, on] of rows) {
    const features = release(minor);
    assert.equal(allOrderedPlugins(features).includes(name), known, `${name} in 1.${minor}`);
    assert.equal(defaultOnPlugins(features).includes(name), on, `${name} in 1.${minor}`);
  }
});

test('flags that are wrong are refused in the words of kube-apiserver', () => {
  const rows: [enable: string[], disable: string[], minor: number, errors: string[]][] = [
    [['AlwaysPullImages'], ['PodSecurity'], 36, []],
    [['Nope'], [], 36, ['enable-admission-plugins plugin "Nope" is unknown']],
    [[], ['Nope'], 36, ['disable-admission-plugins plugin "Nope" is unknown']],
    [['SecurityContextDeny'], [], 29, []],
    [
      ['SecurityContextDeny'],
      [],
      30,
      ['enable-admission-plugins plugin "SecurityContextDeny" is unknown'],
    ],
    [
      ['Priority', 'LimitRanger'],
      ['Priority', 'LimitRanger', 'Priority'],
      36,
      [
        '[LimitRanger Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
      ],
    ],
  ];
  for (const [enable, disable, minor, errors] of rows)
    assert.deepEqual(pluginFlagErrors({ enable, disable }, release(minor)), errors);
});

test('the order of flags is irrelevant; disabling takes away, enabling adds', () => {
  const enable = ['AlwaysDeny', 'AlwaysPullImages', 'NodeRestriction'];
  const names = enabledPlugins({ enable, disable: ['ResourceQuota'] }, release(36));
  assert.ok(!names.includes('ResourceQuota'));
  assert.ok(names.indexOf('NodeRestriction') < names.indexOf('AlwaysPullImages'));
  assert.equal(names.at(-1), 'AlwaysDeny');
  assert.equal(names.length, 29);
});
