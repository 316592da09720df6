// AlwaysPullImages (off): every container of every kind pulls its image anew, and so does every
// image volume, so that an image on a node is of no use to who may not pull it.
//
// - Pods themselves only: requests on `ephemeralcontainers` are not touched.
// - An update counts only when it brings an image that the pod did not have.
// - What a later plugin made of the policies is refused.

import { fieldError, renderFieldError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  allContainers,
  containersWithPath,
} from '../../registry/core/pod-spec/visit-containers.ts';
import { plainError } from '../../registry/storage-errors.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, podOf } from '../request-match.ts';

const always = 'Always';

export function createAlwaysPullImages(): AdmissionPlugin {
  return {
    name: 'AlwaysPullImages',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      const pod = podWithNewImages(attributes);
      if (pod === undefined) return;
      for (const container of allContainers(pod.spec)) container.imagePullPolicy = always;
      for (const { image } of pod.spec.volumes ?? []) if (image) image.pullPolicy = always;
    },
    validate(attributes) {
      const pod = podWithNewImages(attributes);
      if (pod === undefined) return;
      const refused = [...otherPolicies(pod)].map(
        ([path, policy]) =>
          admissionForbidden(
            attributes,
            renderFieldError(fieldError.notSupported(path, policy, [always])),
          ).message,
      );
      // COMPAT: upstream's aggregate of several refusals is an error without a code of its own.
      if (refused.length === 1) throw plainError(refused[0] ?? '');
      if (refused.length > 1) throw plainError(`[${refused.join(', ')}]`);
    },
  };
}

function podWithNewImages(attributes: AdmissionAttributes): Pod | undefined {
  const pod = podOf(attributes);
  if (pod === undefined || attributes.operation !== 'UPDATE') return pod;
  if (attributes.oldObject === undefined) return pod;
  const old = allContainers(asKind<Pod>(attributes.oldObject).spec);
  const known = new Set(old.map((container) => container.image));
  return allContainers(pod.spec).some(({ image }) => !known.has(image)) ? pod : undefined;
}

function* otherPolicies(pod: Pod): Generator<[path: string, policy: string]> {
  for (const [container, path] of containersWithPath(pod.spec, 'spec')) {
    const { imagePullPolicy: policy = '' } = container;
    if (policy !== always) yield [`${path}.imagePullPolicy`, policy];
  }
  for (const [i, { image }] of (pod.spec.volumes ?? []).entries()) {
    const policy = image?.pullPolicy ?? '';
    if (image && policy !== always) yield [`spec.volumes[${i}].image.pullPolicy`, policy];
  }
}
