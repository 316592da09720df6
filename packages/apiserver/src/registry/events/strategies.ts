// The strategies of the events.k8s.io group, by version and resource. Events are stored as core/v1
// and these functions get them in that form; they differ from the core group's in what they ask
// for.

import type { Event } from '@keelson/apimachinery/types/core.v1';
import { eventStrategy, subjectFields } from '../core/events/strategy.ts';
import { validateNewEvent, validateNewEventUpdate } from '../core/events/validation.ts';
import type { Strategy } from '../strategy.ts';

const newEventStrategy: Strategy<Event> = {
  ...eventStrategy,
  validate: validateNewEvent,
  validateUpdate: validateNewEventUpdate,
  fieldValues: (event) => ({
    ...subjectFields(event, 'regarding'),
    reportingController: event.reportingComponent ?? '',
    reason: event.reason ?? '',
    type: event.type ?? '',
  }),
};

export const eventsStrategies: Readonly<Record<string, Strategy>> = {
  'v1/events': newEventStrategy,
};
