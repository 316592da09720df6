// NamespaceAutoProvision (off): creating something in a namespace that does not exist creates the
// namespace first. It runs before NamespaceLifecycle. A dry run creates nothing, and so ends there
// with 404. Another request may be faster; that its namespace exists already is no error.

import { isStatusError } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { handling } from '../request-match.ts';
import { isNamespaceKind } from './namespace-lifecycle.ts';

/** Creates namespaces as the server itself. */
export interface NamespaceCreator {
  /** Rejects with the StatusError of the creation, AlreadyExists among them. */
  createNamespace(name: string, signal: AbortSignal): Promise<void>;
}

export function createNamespaceAutoProvision(
  namespaces: ObjectSource,
  creator: NamespaceCreator,
): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    handles: handling('CREATE'),
    async mutate(attributes) {
      const { namespace } = attributes;
      if (attributes.dryRun || namespace === '' || isNamespaceKind(attributes)) return;
      if (namespaces.get('', namespace) !== undefined) return;
      try {
        await creator.createNamespace(namespace, attributes.signal);
      } catch (error) {
        if (!isStatusError(error, 'AlreadyExists')) throw error;
      }
    },
  };
}
