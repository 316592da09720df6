// NamespaceExists (off): every request in a namespace, deletions included, needs the namespace
// (404). NamespaceLifecycle asks the same of creations and updates.

import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { handling } from '../request-match.ts';
import { isNamespaceKind, namespaceNotFound } from './namespace-lifecycle.ts';

export function createNamespaceExists(namespaces: ObjectSource): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    handles: handling('CREATE', 'UPDATE', 'DELETE'),
    validate(attributes) {
      const { namespace } = attributes;
      if (namespace === '' || isNamespaceKind(attributes)) return;
      if (namespaces.get('', namespace) === undefined) throw namespaceNotFound(namespace);
    },
  };
}
