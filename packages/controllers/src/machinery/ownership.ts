// Who controls an object, and how dependents are taken in and let go: what matches the owner's
// selector and has no controller is adopted, what the owner controls and no longer matches is
// released. Nothing is ever taken from another controller.

import {
  isStatusError,
  type GroupVersionResource,
  type JsonObject,
  type KubeObject,
  type LabelMatcher,
  type OwnerReference,
} from '@keelson/apimachinery';
import type { Client, Informer, InformerHandler } from '@keelson/client';

/** A kind whose objects control others. */
export interface OwnerKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: GroupVersionResource;
}

export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true);
}
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}
export function controllerReference({ apiVersion, kind }: OwnerKind, owner: KubeObject) {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true } as const;
}

const byController = 'controller-uid';
const uncontrolled = 'without-controller';

/** Lets `dependentsOf` find objects of this informer; any number of controllers may ask for it. */
export function indexByController(informer: Pick<Informer, 'addIndex'>): void {
  informer.addIndex(byController, (object) => [controllerOf(object)?.uid ?? '']);
  informer.addIndex(uncontrolled, (object) =>
    controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [],
  );
}
/** What the owner controls. */
export function dependentsOf<T extends KubeObject>(
  informer: Informer<T>,
  owner: KubeObject,
): readonly T[] {
  return informer.store.byIndex(byController, owner.metadata.uid ?? '');
}
/** What nothing controls in a namespace. */
export function orphansIn<T extends KubeObject>(
  informer: Informer<T>,
  namespace: string,
): readonly T[] {
  return informer.store.byIndex(uncontrolled, namespace);
}

type SelectorOf<T> = (owner: T) => LabelMatcher;

/** Whom a change of the object concerns: its controller, or else all that might adopt it. */
export function ownersConcerned<T extends KubeObject>(
  owners: Informer<T>,
  object: KubeObject,
  selectorOf: SelectorOf<T>,
): readonly T[] {
  const { namespace = '', labels = {} } = object.metadata;
  const controller = controllerOf(object);
  if (controller === undefined)
    return owners.store.list(namespace).filter((owner) => selectorOf(owner).matches(labels));
  const owner = owners.store.get(namespace, controller.name);
  return owner !== undefined && owner.metadata.uid === controller.uid ? [owner] : [];
}

/** Handles changes of dependents: before and after the change they may concern others. */
export function tellOwners<T extends KubeObject>(
  owners: Informer<T>,
  selectorOf: SelectorOf<T>,
  tell: (owner: T) => void,
): InformerHandler {
  const concerned = (object: KubeObject) => ownersConcerned(owners, object, selectorOf);
  return {
    onAdd: (object) => concerned(object).forEach(tell),
    onUpdate: (object, old) =>
      new Set([...concerned(object), ...concerned(old)]).forEach((owner) => tell(owner)),
    onDelete: (object) => concerned(object).forEach(tell),
  };
}

export interface ClaimOptions<T extends KubeObject> {
  readonly client: Client;
  readonly ownerKind: OwnerKind;
  readonly owner: KubeObject;
  readonly selector: LabelMatcher;
  readonly dependents: Informer<T>;
  readonly dependentResource: GroupVersionResource;
  /** Others are neither adopted nor released. */
  readonly concerns?: (object: T) => boolean;
  /** What adopted objects get as well. */
  readonly finalizers?: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * The objects that the owner controls when all is done. Throws what the API refused, after having
 * tried all.
 */
export async function claimDependents<T extends KubeObject>(
  options: ClaimOptions<T>,
): Promise<T[]> {
  const { owner, selector, dependents, concerns = () => true } = options;
  const labelsOf = ({ metadata }: T) => metadata.labels ?? {};
  const ownerIsGoing = owner.metadata.deletionTimestamp !== undefined;
  const claimed: T[] = [];
  const errors: unknown[] = [];
  const attempt = async (work: Promise<T | undefined>) => {
    try {
      const object = await work;
      if (object !== undefined) claimed.push(object);
    } catch (error) {
      errors.push(error);
    }
  };
  for (const object of dependentsOf(dependents, owner).filter(concerns)) {
    if (selector.matches(labelsOf(object))) claimed.push(object);
    else if (!ownerIsGoing) await attempt(release(options, object));
  }
  if (!ownerIsGoing) {
    const mayOwn = remember(() => ownerIsThere(options));
    for (const object of orphansIn(dependents, owner.metadata.namespace ?? '')) {
      const isWanted = selector.matches(labelsOf(object)) && concerns(object);
      if (!isWanted || object.metadata.deletionTimestamp !== undefined) continue;
      await attempt(mayOwn().then((may) => (may ? adopt(options, object) : undefined)));
    }
  }
  if (errors.length > 0) throw errors[0];
  return claimed;
}

/** Undefined when it is gone, or another object by now. */
async function adopt<T extends KubeObject>(
  options: ClaimOptions<T>,
  object: T,
): Promise<T | undefined> {
  const { ownerKind, owner, finalizers = [] } = options;
  return patch(options, object, {
    ownerReferences: [controllerReference(ownerKind, owner)],
    ...(finalizers.length > 0 && { finalizers: [...finalizers] }),
  });
}
async function release<T extends KubeObject>(
  options: ClaimOptions<T>,
  object: T,
): Promise<undefined> {
  const ownerReferences = [{ $patch: 'delete', uid: options.owner.metadata.uid ?? '' }];
  await patch(options, object, { ownerReferences });
}

async function patch<T extends KubeObject>(
  { client, dependentResource, signal }: ClaimOptions<T>,
  { metadata: { namespace = '', name = '', uid = '' } }: T,
  change: JsonObject,
): Promise<T | undefined> {
  try {
    // The uid makes it a conflict if another object has the name by now.
    const body = { metadata: { ...change, uid } };
    const resource = client.resource<T>(dependentResource).namespace(namespace);
    return await resource.patch(name, 'strategic', body, { signal });
  } catch (error) {
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Invalid')) return undefined;
    throw error;
  }
}

/**
 * SECURITY: asked of the server, not of the cache, before anything is adopted: an owner that is
 * being deleted in the foreground would take its new dependents with it.
 */
async function ownerIsThere<T extends KubeObject>({
  client,
  ownerKind,
  owner,
  signal,
}: ClaimOptions<T>) {
  const { namespace = '', name = '', uid } = owner.metadata;
  try {
    const live = await client
      .resource(ownerKind.resource)
      .namespace(namespace)
      .get(name, { signal });
    return live.metadata.uid === uid && live.metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return false;
    throw error;
  }
}

function remember<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
