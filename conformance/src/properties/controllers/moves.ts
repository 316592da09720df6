// What users may do to a cluster at any time: create, change and delete objects that fit their
// schema and refer to each other, end namespaces, let time pass, and lose the controllers.

import {
  createSeededRandom,
  formatApiVersion,
  isJsonObject,
  isStatusError,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Random,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import { minimalObject } from '../../wire/minimal-objects.ts';
import { decorate, decorateStatus } from '../decorate.ts';
import type { Life } from './life.ts';
import { idOf, lived, served } from './look.ts';

const namespaces = ['one', 'two'];
const names = ['a', 'b', 'c'];
const apps = ['x', 'y'];
/** Selectors of minimal objects select `app: x`. */
const labelsOf = (random: Random) => ({ app: pick(apps, random) });
const policies = ['Background', 'Foreground', 'Orphan'] as const;
const namespaceResource = { group: '', version: 'v1', resource: 'namespaces' };

type Move = (life: Life, definition: ResourceDefinition, random: Random) => Promise<unknown>;

/** How often each of them is drawn. */
const moves: readonly (readonly [weight: number, Move])[] = [
  [8, create],
  [5, change],
  [3, changeStatus],
  [4, remove],
  [1, endNamespace],
  [3, pass],
  [1, (life) => life.restart()],
];

export async function prepare({ client, pass: wait }: Life): Promise<void> {
  for (const name of namespaces)
    await client.resource(namespaceResource).create({ metadata: { name } });
  await wait(1_000);
}

/** One move among objects of these kinds (`group/resource`). What the API refuses is not done. */
export async function move(life: Life, kinds: readonly string[], seed: number): Promise<void> {
  const random = createSeededRandom(seed);
  const definition = lived.find((one) => idOf(one) === pick(kinds, random)) ?? lived[0];
  const drawn = moves.flatMap(([weight, one]) => Array.from({ length: weight }, () => one));
  if (definition === undefined) return;
  try {
    await pick(drawn, random)(life, definition, random);
  } catch (error) {
    if (!isStatusError(error) || (error.status.code ?? 500) >= 500) throw error;
  }
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.float() * list.length)] as T;
}

async function create({ client }: Life, definition: ResourceDefinition, random: Random) {
  const namespace = pick(namespaces, random);
  const object = minimalObject(definition, { name: pick(names, random), namespace });
  if (object === undefined) throw new Error(`no sample of ${idOf(definition)}`);
  for (let left = Math.floor(random.float() * 3); left > 0; left--)
    decorate(object, definition.type, random);
  const metadata = object['metadata'] as KubeObject['metadata'];
  metadata.labels = labelsOf(random);
  const owner = random.float() < 0.3 ? await anyObject(client, pick(served, random), random) : null;
  if (owner !== null) metadata.ownerReferences = [referenceTo(owner, random)];
  bound(object);
  await resourceOf(client, definition, namespace).create(object as unknown as KubeObject);
}

function referenceTo(owner: KubeObject | undefined, random: Random) {
  const { apiVersion = 'v1', kind = 'ConfigMap', metadata } = owner ?? { metadata: {} };
  const { name = 'absent', uid = `00000000-0000-4000-8000-${Math.floor(random.float() * 1e6)}` } =
    metadata;
  return { apiVersion, kind, name, uid, blockOwnerDeletion: random.float() < 0.5 };
}

async function change({ client }: Life, definition: ResourceDefinition, random: Random) {
  const object = await anyObject(client, definition, random);
  if (object === undefined) return;
  if (random.float() < 0.3) object.metadata.labels = labelsOf(random);
  else decorate(object as unknown as JsonObject, definition.type, random);
  bound(object as unknown as JsonObject);
  await resourceOf(client, definition, object.metadata.namespace).update(object);
}

async function changeStatus({ client }: Life, definition: ResourceDefinition, random: Random) {
  const hasStatus = definition.subresources.some(({ name }) => name === 'status');
  const object = hasStatus ? await anyObject(client, definition, random) : undefined;
  if (object === undefined) return;
  decorateStatus(object as unknown as JsonObject, definition.type, random);
  await resourceOf(client, definition, object.metadata.namespace).update(object, {
    subresource: 'status',
  });
}

async function remove({ client }: Life, definition: ResourceDefinition, random: Random) {
  const object = await anyObject(client, definition, random);
  if (object === undefined) return;
  const { name = '', namespace } = object.metadata;
  const propagationPolicy = pick(policies, random);
  await resourceOf(client, definition, namespace).delete(name, { propagationPolicy });
}

async function endNamespace({ client }: Life, _: ResourceDefinition, random: Random) {
  const name = pick(namespaces, random);
  const resource = client.resource(namespaceResource);
  if (random.float() < 0.5) await resource.delete(name);
  else await resource.create({ metadata: { name } });
}

async function pass(life: Life, _: ResourceDefinition, random: Random) {
  await life.pass(pick([0, 1, 10, 1_000, 30_000], random));
}

/** One that is in one of the namespaces here, or is in none and not the system's. */
async function anyObject(client: Life['client'], definition: ResourceDefinition, random: Random) {
  const { items } = await client.resource(definition).list();
  const ours = items.filter(({ metadata: { namespace, name = '' } }) =>
    namespace === undefined ? names.includes(name) : namespaces.includes(namespace),
  );
  const { group, version, kind } = definition;
  const apiVersion = formatApiVersion({ group, version });
  return ours.length === 0 ? undefined : { ...pick(ours, random), apiVersion, kind };
}

function resourceOf(client: Life['client'], definition: ResourceDefinition, namespace = '') {
  const resource = client.resource(definition);
  return definition.namespaced ? resource.namespace(namespace) : resource;
}

const sized = /^(?:replicas|parallelism|completions|minReplicas|maxReplicas)$/;
const sizeMax = 4;

/** Few pods are as good as many. */
function bound(value: JsonValue): void {
  if (Array.isArray(value)) return value.forEach(bound);
  if (!isJsonObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (sized.test(key) && typeof member === 'number') value[key] = Math.min(member, sizeMax);
    else if (member !== undefined) bound(member);
  }
}
