// NamespaceLifecycle: nothing is created in a namespace that does not exist or is being terminated,
// and some namespaces are never deleted.
//
// - Deleting default, kube-system or kube-public is refused; every other operation on namespaces
//   passes, and so does every request on what has no namespace.
// - Deleting anything in a namespace passes: a terminating namespace must empty itself.
// - A LocalSubjectAccessReview passes: its answer must not tell whether the namespace exists.
// - Creating and updating need the namespace (404); creating needs one that is not terminating (403
//   with the cause NamespaceTerminating).
// Upstream looks twice, because its cache may lag behind; an ObjectSource does not.

import { statusErrors, StatusError } from '@keelson/apimachinery';
import type { Namespace } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, isAbout } from '../request-match.ts';

const immortalNamespaces: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

export function createNamespaceLifecycle(namespaces: ObjectSource): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: handling('CREATE', 'UPDATE', 'DELETE'),
    mutate(attributes) {
      const { operation, namespace } = attributes;
      if (isNamespaceKind(attributes)) {
        if (operation === 'DELETE' && immortalNamespaces.has(attributes.name))
          throw statusErrors.forbidden(
            attributes.gvr,
            attributes.name,
            'this namespace may not be deleted',
          );
        return;
      }
      if (namespace === '' || operation === 'DELETE' || isAccessReview(attributes)) return;
      const found = namespaces.get('', namespace);
      if (found === undefined) throw namespaceNotFound(namespace);
      if (operation === 'CREATE' && asKind<Namespace>(found).status?.phase === 'Terminating')
        throw refuseNewContent(attributes);
    },
  };
}

/** The 404 of whatever needs a namespace that is not there. */
export function namespaceNotFound(name: string): StatusError {
  return statusErrors.notFound({ group: '', resource: 'namespaces' }, name);
}

/** True for requests on namespaces, whose own name is the namespace of the request. */
export function isNamespaceKind({ gvk }: AdmissionAttributes): boolean {
  return gvk.kind === 'Namespace' && gvk.group === '';
}

function isAccessReview(attributes: AdmissionAttributes): boolean {
  return isAbout(attributes, 'authorization.k8s.io', 'localsubjectaccessreviews');
}

function refuseNewContent(attributes: AdmissionAttributes): StatusError {
  const { namespace } = attributes;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { status } = admissionForbidden(attributes, why);
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  return new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
}
