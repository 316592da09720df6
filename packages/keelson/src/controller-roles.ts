// The roles of controllers that the default policy does not know, for they are Keelson's own: each
// gets what its description says, and nothing else. They are made when the controller first runs,
// and stay, as the default policy's do.

import type { KubeObject } from '@keelson/apimachinery';
import type { BootstrapObject } from '@keelson/apiserver';
import { controllerDescriptions } from './controller-descriptions.ts';
import type { ControllerName } from './controller-list.ts';

const apiGroup = 'rbac.authorization.k8s.io';

/** Roles before bindings. */
export function controllerRoles(names: ReadonlySet<ControllerName>): BootstrapObject[] {
  const wanted = [...names].flatMap((name) => {
    const { account, rules } = controllerDescriptions[name];
    return account === undefined || rules === undefined ? [] : [{ account, rules }];
  });
  return [
    ...wanted.map(({ account, rules }) => ({
      resource: 'clusterroles' as const,
      object: roleObject('ClusterRole', account, { rules }),
    })),
    ...wanted.map(({ account }) => ({
      resource: 'clusterrolebindings' as const,
      object: roleObject('ClusterRoleBinding', account, {
        roleRef: { apiGroup, kind: 'ClusterRole', name: roleName(account) },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
      }),
    })),
  ];
}

const roleName = (account: string) => `keelson:controller:${account}`;

function roleObject(kind: string, account: string, content: object): KubeObject {
  return {
    apiVersion: `${apiGroup}/v1`,
    kind,
    metadata: {
      name: roleName(account),
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
    ...structuredClone(content),
  };
}
