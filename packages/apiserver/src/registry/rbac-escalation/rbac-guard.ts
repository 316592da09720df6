// Puts the guard against escalation into the write path: as the last mutating step, so that it sees the
// role or binding as it is going to be stored, before validation. It is not one of the plugins that flags
// name; it always runs.

import type { AdmissionPlugin } from '../../admission/admission.ts';
import { rbacGroup } from '../../authorization/rbac/policy-rule.ts';
import {
  checkBindEscalation,
  checkRoleEscalation,
  type EscalationDependencies,
  type RbacWrite,
} from './rbac-escalation.ts';

/** Belongs behind all other mutating plugins. */
export function createRbacGuard(dependencies: EscalationDependencies): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async mutate({ gvr, subresource, operation, object, oldObject, ...rest }) {
      if (gvr.group !== rbacGroup || subresource !== '' || object === undefined) return;
      const write: RbacWrite = {
        user: rest.user,
        trace: rest.trace,
        resource: gvr.resource,
        namespace: rest.namespace,
        name: operation === 'CREATE' ? '' : rest.name,
        object,
        ...(oldObject === undefined ? {} : { oldObject }),
      };
      await (gvr.resource.endsWith('bindings')
        ? checkBindEscalation(dependencies, write)
        : checkRoleEscalation(dependencies, write));
    },
  };
}
