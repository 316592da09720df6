// ClusterTrustBundleAttest (gate ClusterTrustBundle): who writes a ClusterTrustBundle that names a
// signer needs the verb `attest` for it. An update that changes nothing but owner references and
// finalizers is the garbage collector's and passes.

import { asJson, jsonEqual, type KubeObject } from '@keelson/apimachinery';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { Features } from '../../features/features.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, isAbout } from '../request-match.ts';
import { mayActForSigner } from '../../authorization/signer-permission.ts';

interface ClusterTrustBundle {
  readonly spec?: { readonly signerName?: string };
}

export function createClusterTrustBundleAttest(
  authorizer: Authorizer,
  features: Features,
): AdmissionPlugin {
  const isOn = features.enabled('ClusterTrustBundle');
  return {
    name: 'ClusterTrustBundleAttest',
    handles: (operation) => isOn && (operation === 'CREATE' || operation === 'UPDATE'),
    async validate(attributes) {
      const { object, oldObject } = attributes;
      if (object === undefined) return;
      if (!isAbout(attributes, 'certificates.k8s.io', 'clustertrustbundles')) return;
      if (oldObject !== undefined && isGarbageCollectorChange(object, oldObject)) return;
      const { signerName = '' } = asKind<ClusterTrustBundle>(object).spec ?? {};
      if (signerName === '') return;
      if (await mayActForSigner(authorizer, attributes, 'attest', signerName)) return;
      throw admissionForbidden(
        attributes,
        `user not permitted to attest for signerName ${JSON.stringify(signerName)}`,
      );
    },
  };
}

function isGarbageCollectorChange(object: KubeObject, old: KubeObject): boolean {
  return jsonEqual(asJson(withoutCollected(object)), asJson(withoutCollected(old)));
}

function withoutCollected(object: KubeObject): KubeObject {
  const { ownerReferences: _owners, finalizers: _f, managedFields: _m, ...meta } = object.metadata;
  return { ...object, metadata: meta };
}
