// Events of core/v1, which is also how events.k8s.io/v1 is stored.

import type { Event } from '@keelson/apimachinery/types/core.v1';
import type { Strategy } from '../../strategy.ts';
import { eventCells } from './table.ts';
import { validateEvent } from './validation.ts';

export const eventStrategy: Strategy<Event> = {
  validate: (event) => validateEvent(event),
  validateUpdate: (event) => validateEvent(event),
  allowCreateOnUpdate: true,
  tableCells: eventCells,
  fieldValues: (event) => ({
    ...subjectFields(event, 'involvedObject'),
    reportingComponent: event.reportingComponent ?? '',
    reason: event.reason ?? '',
    source: event.source?.component || event.reportingComponent || '',
    type: event.type ?? '',
  }),
};

/**
 * The field labels of the object that an Event is about; both APIs have them under their own name.
 */
export function subjectFields({ involvedObject }: Event, prefix: string): Record<string, string> {
  const fields = [
    'kind',
    'namespace',
    'name',
    'uid',
    'apiVersion',
    'resourceVersion',
    'fieldPath',
  ] as const;
  return Object.fromEntries(
    fields.map((field) => [`${prefix}.${field}`, involvedObject[field] ?? '']),
  );
}
