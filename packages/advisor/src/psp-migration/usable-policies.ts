// Who may `use` which PodSecurityPolicy: asked of the authorizer of a real cluster that has the
// roles and bindings, for the service account of the pod and for whoever creates it.

import { isJsonObject } from '@keelson/apimachinery';
import type { AdvisedCluster } from '../cluster.ts';
import type { RunningPod } from './migration-input.ts';
import { objectOf, type PodSecurityPolicy } from './pod-security-policy.ts';

export async function usablePolicies(
  cluster: AdvisedCluster,
  policies: readonly PodSecurityPolicy[],
  { namespace, serviceAccount, creator }: RunningPod,
): Promise<readonly PodSecurityPolicy[]> {
  const users = [`system:serviceaccount:${namespace}:${serviceAccount}`, creator];
  const usable: PodSecurityPolicy[] = [];
  for (const policy of policies) {
    for (const user of users) {
      if (user === undefined || !(await mayUse(cluster, { policy, user, namespace }))) continue;
      usable.push(policy);
      break;
    }
  }
  return usable;
}

interface Use {
  readonly policy: PodSecurityPolicy;
  readonly user: string;
  readonly namespace: string;
}

/** In both groups in which the policies were served. */
async function mayUse(cluster: AdvisedCluster, { policy, user, namespace }: Use): Promise<boolean> {
  const [, , of = ''] = user.split(':');
  for (const group of ['policy', 'extensions']) {
    const { body } = await cluster.decide({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user,
          groups: [
            'system:serviceaccounts',
            `system:serviceaccounts:${of}`,
            'system:authenticated',
          ],
          resourceAttributes: {
            verb: 'use',
            group,
            resource: 'podsecuritypolicies',
            name: policy.name,
            namespace,
          },
        },
      },
    });
    if (isJsonObject(body) && objectOf(body['status'])['allowed'] === true) return true;
  }
  return false;
}
