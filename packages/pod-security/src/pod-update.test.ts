import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodObject } from './pod-templates.ts';
import { isSignificantPodUpdate } from './pod-update.ts';

const podAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const containerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/c';

function pod(spec: PodObject['spec'], annotations?: Record<string, string>): PodObject {
  return { metadata: annotations === undefined ? {} : { annotations }, spec };
}
const c = (name: string, image = 'a:1') => ({ name, image });
const one = pod({ containers: [c('c')], initContainers: [c('i')], ephemeralContainers: [c('e')] });

const rows: [name: string, now: PodObject, before: PodObject, in1_36: boolean, in1_26?: boolean][] =
  [
    ['nothing', one, one, false],
    ['tolerations and security context', pod({ ...one.spec, hostNetwork: true }), one, false],
    ['an image', pod({ ...one.spec, containers: [c('c', 'a:2')] }), one, true],
    ['an init image', pod({ ...one.spec, initContainers: [c('i', 'a:2')] }), one, true],
    ['a name without its image', pod({ ...one.spec, containers: [c('d')] }), one, false],
    ['one container more', pod({ ...one.spec, containers: [c('c'), c('d')] }), one, true],
    ['one container less', pod({ ...one.spec, initContainers: null }), one, true],
    [
      'an ephemeral container more',
      pod({ ...one.spec, ephemeralContainers: [c('e'), c('f')] }),
      one,
      true,
    ],
    ['an ephemeral container less', pod({ ...one.spec, ephemeralContainers: [] }), one, false],
    [
      'the order of ephemeral containers',
      pod({ ephemeralContainers: [c('e', 'a:1'), c('f', 'a:2')] }),
      pod({ ephemeralContainers: [c('f', 'a:2'), c('e', 'a:1')] }),
      false,
    ],
    ['an ephemeral image', pod({ ...one.spec, ephemeralContainers: [c('e', 'a:2')] }), one, true],
    ['null instead of a container', pod({ ...one.spec, containers: [null] }), one, true],
    ['another annotation', pod(one.spec, { a: 'b' }), one, false],
    ['the seccomp annotation', pod(one.spec, { [podAnnotation]: 'x' }), one, false, true],
    [
      'the seccomp annotation of a container',
      pod(one.spec, { [containerAnnotation]: 'x' }),
      one,
      false,
      true,
    ],
  ];

describe('isSignificantPodUpdate', () => {
  for (const [name, now, before, in1_36, in1_26 = in1_36] of rows) {
    it(`${name} is ${in1_36 ? '' : 'in'}significant`, () => {
      assert.equal(isSignificantPodUpdate(now, before, 36), in1_36);
      assert.equal(isSignificantPodUpdate(now, before, 26), in1_26);
    });
  }
});
