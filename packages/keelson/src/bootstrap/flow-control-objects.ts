// Keeps the FlowSchemas and PriorityLevelConfigurations that every cluster has, at the start and once a
// minute afterwards. Rules, for each kind:
//
//   missing      is made again, whoever deleted it
//   mandatory    (exempt, catch-all) always has the server's spec
//   suggested    has the server's spec while the annotation apf.kubernetes.io/autoupdate-spec is true;
//                without a readable annotation, while nobody has changed the spec (generation 1). The
//                annotation is then set to what was found
//   annotated, but not of this release    was made by another release; removed, unless an operator
//                took it over by setting the annotation to false

import { isDeepStrictEqual } from 'node:util';
import { sleep, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { Logger } from '@keelson/apiserver';

/** The stored objects of one of the two kinds. */
export interface ConfigurationStore {
  list(): Promise<readonly KubeObject[]>;
  create(object: KubeObject): Promise<unknown>;
  /** `change` gets a copy of what is stored, and may be called again. */
  update(name: string, change: (current: KubeObject) => KubeObject): Promise<unknown>;
  delete(object: KubeObject): Promise<unknown>;
}

export interface FlowControlKind {
  readonly store: ConfigurationStore;
  /** As the server has them. */
  readonly objects: readonly KubeObject[];
}

const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec';
const mandatoryNames = new Set(['exempt', 'catch-all']);

/** Kinds in the order in which they are made: levels first, so that no schema dangles meanwhile. */
export async function reconcileFlowControl(kinds: readonly FlowControlKind[]): Promise<void> {
  for (const { store, objects } of kinds) {
    const stored = new Map((await store.list()).map((object) => [nameOf(object), object]));
    await Promise.all(
      objects.map((wanted) => reconcile(store, wanted, stored.get(nameOf(wanted)))),
    );
    for (const wanted of objects) stored.delete(nameOf(wanted));
    const leftOver = [...stored.values()].filter(
      (object) => annotationOf(object) !== undefined && isAutoUpdated(object),
    );
    await Promise.all(leftOver.map((object) => store.delete(object)));
  }
}

export interface KeepOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const periodMs = 60_000;

/** Reconciles once a minute until the signal is aborted. */
export async function keepFlowControl(
  kinds: () => readonly FlowControlKind[],
  { clock, logger, signal }: KeepOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(clock, periodMs, signal);
      await reconcileFlowControl(kinds());
    } catch (error) {
      if (signal.aborted) return;
      logger.error('flow control objects could not be kept', { error: String(error) });
    }
  }
}

async function reconcile(
  store: ConfigurationStore,
  wanted: KubeObject,
  current: KubeObject | undefined,
): Promise<void> {
  if (current === undefined) {
    await store.create(wanted);
  } else if (revise(current, wanted) !== undefined) {
    await store.update(nameOf(wanted), (stored) => revise(stored, wanted) ?? stored);
  }
}

/** The object as it should be; undefined when it is so. */
function revise(current: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const autoUpdates = mandatoryNames.has(nameOf(wanted)) || isAutoUpdated(current);
  const hasSpec = isDeepStrictEqual(specOf(current), specOf(wanted));
  const hasAnnotation = parseGoBoolean(annotationOf(current)) === autoUpdates;
  if (hasAnnotation && (hasSpec || !autoUpdates)) return undefined;
  const { annotations } = current.metadata;
  const metadata = hasAnnotation
    ? current.metadata
    : {
        ...current.metadata,
        annotations: { ...annotations, [autoUpdateAnnotation]: String(autoUpdates) },
      };
  const spec = autoUpdates ? structuredClone(specOf(wanted)) : specOf(current);
  return { ...current, metadata, spec } as KubeObject;
}

function isAutoUpdated(object: KubeObject): boolean {
  return parseGoBoolean(annotationOf(object)) ?? object.metadata.generation === 1;
}

/** As strconv.ParseBool. */
function parseGoBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

const nameOf = ({ metadata }: KubeObject) => metadata.name ?? '';
const annotationOf = ({ metadata }: KubeObject) => metadata.annotations?.[autoUpdateAnnotation];
const specOf = (object: KubeObject) => (object as KubeObject & { spec: unknown }).spec;
