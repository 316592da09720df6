// Tells in the status of every FlowSchema whether the priority level that it sends requests to
// exists. Follows both kinds; what is written depends on nothing but the two objects.

import {
  findCondition,
  formatTime,
  transitionTime,
  withConditionLast,
  type Clock,
  type KubeObject,
} from '@keelson/apimachinery';
import type {
  FlowSchema,
  FlowSchemaCondition,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import type { Logger } from '../../logger.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { Storage } from '../../storage/storage.ts';

export interface FlowSchemaStatusOptions {
  readonly schemas: ObjectSource;
  readonly levels: ObjectSource;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const keyPrefix = '/registry/flowschemas/';

/** Brings the status of all schemas up to date, and keeps it so until the signal is aborted. */
export function startFlowSchemaStatus(options: FlowSchemaStatusOptions): void {
  const { schemas, levels, signal } = options;
  const look = (schema: KubeObject): void => {
    if (withCondition(schema, options) !== undefined) write(schema.metadata.name ?? '', options);
  };
  const lookAtAll = (level: string) => {
    for (const schema of schemas.list()) if (levelNameOf(schema) === level) look(schema);
  };
  const stops = [
    schemas.subscribe(({ type, object }) => {
      if (type !== 'DELETED') look(object);
    }),
    levels.subscribe(({ type, object }) => {
      if (type !== 'MODIFIED') lookAtAll(object.metadata.name ?? '');
    }),
  ];
  for (const schema of schemas.list()) look(schema);
  signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
}

function write(name: string, options: FlowSchemaStatusOptions): void {
  const { storage, logger, signal } = options;
  const update = storage.guaranteedUpdate(keyPrefix + name, (current) =>
    current === undefined ? undefined : (withCondition(current.object, options) ?? current.object),
  );
  update.catch((error: unknown) => {
    if (signal.aborted) return;
    logger.error('the status of a FlowSchema could not be written', { name, error: String(error) });
  });
}

const levelNameOf = (schema: KubeObject): string =>
  (schema as unknown as FlowSchema).spec.priorityLevelConfiguration?.name ?? '';

/** The schema with the condition that it should have; nothing when it has that. */
function withCondition(
  object: KubeObject,
  { levels, clock }: FlowSchemaStatusOptions,
): KubeObject | undefined {
  const { status } = object as unknown as FlowSchema;
  const level = levelNameOf(object);
  const wanted = danglingCondition(level, levels.get('', level) !== undefined);
  const conditions = status?.conditions ?? [];
  const before = findCondition(conditions, wanted.type);
  if (before?.status === wanted.status && before.message === wanted.message) return undefined;
  const lastTransitionTime = transitionTime(before, wanted.status, formatTime(clock.now()));
  const { type, status: state, reason, message } = wanted;
  const condition = { type, status: state, lastTransitionTime, reason, message };
  return { ...object, status: { ...status, conditions: withConditionLast(conditions, condition) } };
}

type Wanted = Required<Omit<FlowSchemaCondition, 'lastTransitionTime'>>;

function danglingCondition(level: string, exists: boolean): Wanted {
  const subject = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  return exists
    ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${subject} and it exists` }
    : {
        type: 'Dangling',
        status: 'True',
        reason: 'NotFound',
        message: `${subject} but there is no such object`,
      };
}
