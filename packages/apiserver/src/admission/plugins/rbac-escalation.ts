// Nobody may give rights that they do not hold: writes of roles need all their rules (or the verb
// `escalate`), writes of bindings all rules of the role they bind (or the verb `bind`).
//
// In kube-apiserver this guard sits in the storage of the RBAC resources. It cannot be switched
// off, so it is no plugin of the ordered list either; the composition root puts it behind all of
// them.

import {
  checkBindEscalation,
  checkRoleEscalation,
  type EscalationDependencies,
} from '../../registry/rbac-escalation/rbac-escalation.ts';
import type { AdmissionPlugin } from '../admission.ts';

const roles = new Set(['roles', 'clusterroles']);
const bindings = new Set(['rolebindings', 'clusterrolebindings']);

export function createRbacEscalation(dependencies: EscalationDependencies): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async mutate(attributes) {
      const { gvr, oldObject } = attributes;
      if (gvr.group !== 'rbac.authorization.k8s.io' || attributes.object === undefined) return;
      const { user, trace, namespace, operation } = attributes;
      const write = {
        user,
        trace,
        resource: gvr.resource,
        namespace,
        // COMPAT: a POST has no name in its URL, so a grant for one name does not help there.
        name: operation === 'CREATE' ? '' : attributes.name,
        object: attributes.object,
        ...(oldObject === undefined ? {} : { oldObject }),
      };
      if (roles.has(gvr.resource)) await checkRoleEscalation(dependencies, write);
      else if (bindings.has(gvr.resource)) await checkBindEscalation(dependencies, write);
    },
  };
}
