// NodeRestriction: what a node writes must concern the node itself. The Node authorizer decides by
// the URL; this plugin looks at the objects. It concerns users that are nodes and nobody else:
//
//   pods                  only mirror pods of its own, that refer to nothing else in the cluster
//   pods/status, eviction only of pods that run on it; labels and claims stay as they are
//   nodes                 only itself; no taints, no owner references, no labels that steer workloads
//   persistentvolumeclaims/status   only sizes and conditions
//   serviceaccounts/token only for pods that run on it, for audiences that these pods use
//   leases, csinodes      only the one with its name; resourceslices, podcertificaterequests: its own
//   certificatesigningrequests      kubelet certificates for itself only (1.31 and later)
//
// Runs among the mutating plugins, as upstream: what later plugins add is not the node's doing.
// Law: k8s.io/kubernetes/plugin/pkg/admission/noderestriction.

import { quoteGo } from '@keelson/apimachinery';
import { nodeNameOf } from '../../authorization/node/node-identity.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { handling } from '../request-match.ts';
import { admitCertificateSigningRequest } from './node-restriction/certificate-requests.ts';
import { admitNode } from './node-restriction/nodes.ts';
import { admitOwnObject } from './node-restriction/own-objects.ts';
import { admitPersistentVolumeClaim } from './node-restriction/persistent-volume-claims.ts';
import { admitPodCertificateRequest } from './node-restriction/pod-certificate-requests.ts';
import { admitPod } from './node-restriction/pods.ts';
import type { NodeRequest, NodeRestrictionDependencies } from './node-restriction/request.ts';
import { admitServiceAccountToken } from './node-restriction/service-account-tokens.ts';

export type { NodeRestrictionDependencies } from './node-restriction/request.ts';

/** By `group/resource`; each throws what refuses the request. */
const checks: Readonly<Record<string, (request: NodeRequest) => Promise<void> | void>> = {
  '/pods': admitPod,
  '/nodes': admitNode,
  '/persistentvolumeclaims': admitPersistentVolumeClaim,
  '/serviceaccounts': admitServiceAccountToken,
  'coordination.k8s.io/leases': admitOwnObject,
  'storage.k8s.io/csinodes': admitOwnObject,
  'resource.k8s.io/resourceslices': admitOwnObject,
  'certificates.k8s.io/certificatesigningrequests': admitCertificateSigningRequest,
  'certificates.k8s.io/podcertificaterequests': admitPodCertificateRequest,
};

export function createNodeRestriction(dependencies: NodeRestrictionDependencies): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: handling('CREATE', 'UPDATE', 'DELETE'),
    async mutate(attributes) {
      const nodeName = nodeNameOf(attributes.user);
      if (nodeName === undefined) return;
      const refuse = (why: string) => admissionForbidden(attributes, why);
      if (nodeName === '')
        throw refuse(`could not determine node from user ${quoteGo(attributes.user.name)}`);
      await checkOf(attributes)?.({ nodeName, attributes, dependencies, refuse });
    },
  };
}

function checkOf({ gvr }: AdmissionAttributes) {
  const key = `${gvr.group}/${gvr.resource}`;
  return Object.hasOwn(checks, key) ? checks[key] : undefined;
}
