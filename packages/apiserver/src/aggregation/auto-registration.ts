// APIServices that nobody has to write: one for every group version of the CustomResourceDefinitions,
// made, corrected and removed as those come and go. One without the label below was made by
// somebody and is left alone, also when it gives the group version to another server.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { systemUser } from '../authentication/system-user.ts';
import type { Logger } from '../logger.ts';
import type { ObjectSource } from '../object-source.ts';
import { createObject } from '../registry/store-create.ts';
import { storageKey, type StoreScope } from '../registry/store-types.ts';

export interface AutoRegistrationOptions {
  readonly definitions: ObjectSource;
  readonly apiServices: ObjectSource;
  /** The store of APIServices. */
  readonly scope: () => StoreScope;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** `true`: kept as it should be all the time; `onstart`: made at start, then left alone. */
const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';
/** Of custom resources: after everything built in; versions among themselves by their names. */
const customPriorities = { groupPriorityMinimum: 1000, versionPriority: 100 } as const;

/** Brings all up to date, and keeps them so until the signal is aborted. */
export function startAutoRegistration(options: AutoRegistrationOptions): void {
  const { definitions, apiServices, signal } = options;
  const wanted = createWantedNames();
  const busy = new Map<string, Promise<void>>();
  const look = (name: string) => {
    if (isAsWanted(name, wanted.has(name), apiServices)) return;
    const turn = (busy.get(name) ?? Promise.resolve()).then(() => reconcile(name, wanted, options));
    busy.set(name, turn);
    void turn.finally(() => {
      if (busy.get(name) === turn) busy.delete(name);
    });
  };
  for (const definition of definitions.list()) wanted.set(definition, namesOf(definition));
  const stops = [
    definitions.subscribe(({ type, object, previous }) => {
      wanted.set(object, type === 'DELETED' ? [] : namesOf(object));
      for (const name of new Set([...namesOf(object), ...namesOf(previous)])) look(name);
    }),
    apiServices.subscribe(({ type, object }) => {
      if (type === 'DELETED' || isManaged(object)) look(object.metadata.name ?? '');
    }),
  ];
  const managed = apiServices.list().filter(isManaged).map(nameOf);
  for (const name of new Set([...wanted.names(), ...managed])) look(name);
  signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
}

interface WantedNames {
  set(definition: KubeObject, names: readonly string[]): void;
  has(name: string): boolean;
  names(): Iterable<string>;
}

/** Which APIServices some definition calls for, kept by definition, so that one is quick. */
function createWantedNames(): WantedNames {
  const byDefinition = new Map<string, readonly string[]>();
  const counts = new Map<string, number>();
  const add = (names: readonly string[], by: number) => {
    for (const name of names) {
      const count = (counts.get(name) ?? 0) + by;
      if (count > 0) counts.set(name, count);
      else counts.delete(name);
    }
  };
  return {
    set(definition, names) {
      const key = nameOf(definition);
      add(byDefinition.get(key) ?? [], -1);
      add(names, 1);
      if (names.length > 0) byDefinition.set(key, names);
      else byDefinition.delete(key);
    },
    has: (name) => counts.has(name),
    names: () => counts.keys(),
  };
}

/** Most of the time there is nothing to write. */
function isAsWanted(name: string, wanted: boolean, apiServices: ObjectSource): boolean {
  const current = apiServices.get('', name);
  if (current === undefined) return !wanted;
  return !isManaged(current) || (wanted && hasWantedSpec(current, name));
}

const nameOf = (object: KubeObject): string => object.metadata.name ?? '';
const isManaged = (object: KubeObject): boolean =>
  object.metadata.labels?.[automanagedLabel] === 'true';

/** The names of the APIServices that a definition calls for. */
function namesOf(object: KubeObject | undefined): string[] {
  if (object === undefined) return [];
  const { spec } = object as unknown as CustomResourceDefinition;
  return (spec.versions ?? []).filter((v) => v.served).map((v) => `${v.name}.${spec.group}`);
}

async function reconcile(
  name: string,
  names: WantedNames,
  { apiServices, scope, logger, signal }: AutoRegistrationOptions,
): Promise<void> {
  if (signal.aborted) return;
  const wanted = names.has(name);
  const current = apiServices.get('', name);
  try {
    if (current === undefined) {
      if (wanted) await create(name, scope());
    } else if (isManaged(current)) {
      const { storage } = scope();
      const key = storageKey(scope(), '', name);
      if (!wanted)
        await storage.guaranteedUpdate(key, (now) =>
          now && !isManaged(now.object) ? now.object : undefined,
        );
      else if (!hasWantedSpec(current, name))
        await storage.guaranteedUpdate(key, (now) =>
          now === undefined ? undefined : { ...now.object, spec: specOf(name) },
        );
    }
  } catch (error) {
    if (signal.aborted || isStatusError(error, 'AlreadyExists')) return;
    logger.error('an APIService could not be registered', { name, error: String(error) });
  }
}

async function create(name: string, scope: StoreScope): Promise<void> {
  const object = {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name, labels: { [automanagedLabel]: 'true' } },
    spec: specOf(name),
  };
  await createObject(scope, object as unknown as KubeObject, {
    user: systemUser,
    dryRun: false,
    namespace: '',
    warn: () => {},
    validateAdmission: async () => {},
  });
}

function specOf(name: string): APIService['spec'] {
  const dot = name.indexOf('.');
  return { group: name.slice(dot + 1), version: name.slice(0, dot), ...customPriorities };
}

function hasWantedSpec(object: KubeObject, name: string): boolean {
  const { spec } = object as unknown as APIService;
  const wanted = specOf(name);
  return (
    spec.service === undefined &&
    spec.group === wanted.group &&
    spec.version === wanted.version &&
    spec.groupPriorityMinimum === wanted.groupPriorityMinimum &&
    spec.versionPriority === wanted.versionPriority
  );
}
