// OwnerReferencesPermissionEnforcement (off): nobody makes the garbage collector delete, or keep,
// what they could not delete or keep themselves.
//
// - Who changes the owner references of an existing object needs `delete` on that object.
// - Who sets blockOwnerDeletion on a reference, new or not, needs `update` on the `finalizers` of
//   the owner; who may update finalizers of everything is not asked about each.
// The order of references counts; references are matched by uid. `pods/status` is exempt, because
// old kubelets sent damaged references there, and the strategy ignores them.

import {
  jsonEqual,
  parseApiVersion,
  type GroupVersionKind,
  type JsonObject,
  type KubeObject,
  type OwnerReference,
} from '@keelson/apimachinery';
import type { Authorizer, ResourceAttributes } from '../../authorization/authorizer.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { handling, isAbout } from '../request-match.ts';

/** Finds the resources of a kind, built-in or custom. */
export interface ResourcesOfKind {
  /** Empty when the server does not serve the kind in this version. */
  resourcesOf(
    gvk: GroupVersionKind,
  ): readonly { readonly resource: string; readonly namespaced: boolean }[];
}

export function createOwnerReferencesPermissionEnforcement(
  authorizer: Authorizer,
  kinds: ResourcesOfKind,
): AdmissionPlugin {
  /** Undefined when allowed, else what the refusal ends with. */
  const whyNot = async ({ user, trace }: AdmissionAttributes, question: ResourceAttributes) => {
    const answer = await authorizer.authorize(user, question, trace);
    // COMPAT: upstream prints the error behind the reason, and `<nil>` when there is none.
    return answer.decision === 'allow'
      ? undefined
      : `${answer.reason}, ${answer.evaluationError || '<nil>'}`;
  };
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: handling('CREATE', 'UPDATE'),
    async validate(attributes) {
      if (isAbout(attributes, '', 'pods') && attributes.subresource === 'status') return;
      const [wanted, old] = [ownersOf(attributes.object), ownersOf(attributes.oldObject)];
      if (jsonEqual(wanted as unknown as JsonObject[], old as unknown as JsonObject[])) return;
      if (attributes.operation !== 'CREATE') {
        const why = await whyNot(attributes, deletionOf(attributes));
        if (why !== undefined)
          throw admissionForbidden(
            attributes,
            `cannot set an ownerRef on a resource you can't delete: ${why}`,
          );
      }
      const blocking = newlyBlocking(wanted, old);
      if (blocking.length === 0) return;
      if ((await whyNot(attributes, finalizersOfEverything)) === undefined) return;
      for (const owner of blocking) {
        for (const question of finalizersOf(owner, attributes, kinds)) {
          const why = await whyNot(attributes, question);
          if (why !== undefined)
            throw admissionForbidden(
              attributes,
              "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't " +
                `set finalizers on: ${why}`,
            );
        }
      }
    },
  };
}

const finalizersOfEverything: ResourceAttributes = {
  isResource: true,
  verb: 'update',
  namespace: '',
  group: '*',
  version: '*',
  resource: '*',
  subresource: 'finalizers',
  name: '*',
};

function deletionOf(attributes: AdmissionAttributes): ResourceAttributes {
  const { group, version, resource } = attributes.gvr;
  const { namespace, subresource, name } = attributes;
  return {
    isResource: true,
    verb: 'delete',
    namespace,
    group,
    version,
    resource,
    subresource,
    name,
  };
}

function finalizersOf(
  owner: OwnerReference,
  attributes: AdmissionAttributes,
  kinds: ResourcesOfKind,
): ResourceAttributes[] {
  const unmapped = (why: string) =>
    admissionForbidden(
      attributes,
      'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for ' +
        `APIVersion ${owner.apiVersion} Kind ${owner.kind}: ${why}`,
    );
  const gv = parseApiVersion(owner.apiVersion);
  if (gv === undefined) throw unmapped(`unexpected GroupVersion string: ${owner.apiVersion}`);
  const { group, version } = gv;
  const mapped = kinds.resourcesOf({ ...gv, kind: owner.kind });
  if (mapped.length === 0)
    throw unmapped(
      `no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
    );
  return mapped.map(({ resource, namespaced }) => ({
    isResource: true,
    verb: 'update',
    // An owner lives in the namespace of what it owns, or in none.
    namespace: namespaced ? attributes.namespace : '',
    group,
    version,
    resource,
    subresource: 'finalizers',
    name: owner.name,
  }));
}

function ownersOf(object: KubeObject | undefined): readonly OwnerReference[] {
  return object?.metadata?.ownerReferences ?? [];
}

function newlyBlocking(
  wanted: readonly OwnerReference[],
  old: readonly OwnerReference[],
): OwnerReference[] {
  const blocked = new Set(old.filter((o) => o.blockOwnerDeletion === true).map((o) => o.uid));
  return wanted.filter((o) => o.blockOwnerDeletion === true && !blocked.has(o.uid));
}
