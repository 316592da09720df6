// Events of events.k8s.io/v1 and of core/v1 are one kind; the latter is how it is stored. The newer
// API gives the fields other names and keeps the counters of old under `deprecated…`.

import type { KubeObject } from '@keelson/apimachinery';
import type { Event as CoreEvent } from '@keelson/apimachinery/types/core.v1';
import type { Event } from '@keelson/apimachinery/types/events.k8s.io.v1';

/**
 * `eventsV1ToCore(event)`: the stored form. The argument is not changed; parts are shared with it.
 */
export function eventsV1ToCore(object: KubeObject): KubeObject {
  const event = object as unknown as Event;
  const {
    note,
    regarding,
    reportingController,
    deprecatedCount,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedSource,
    ...same
  } = event;
  return withoutAbsent({
    ...same,
    apiVersion: 'v1',
    message: note,
    involvedObject: regarding ?? {},
    reportingComponent: reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
    source: deprecatedSource ?? {},
  });
}

/** `coreToEventsV1(event)`: the form of events.k8s.io/v1. */
export function coreToEventsV1(object: KubeObject): KubeObject {
  const event = object as unknown as CoreEvent;
  const {
    message,
    involvedObject,
    reportingComponent,
    reportingInstance,
    count,
    firstTimestamp,
    lastTimestamp,
    source,
    ...same
  } = event;
  return withoutAbsent({
    ...same,
    apiVersion: 'events.k8s.io/v1',
    note: message,
    regarding: involvedObject,
    reportingController: reportingComponent || undefined,
    reportingInstance: reportingInstance || undefined,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp ?? null,
    deprecatedLastTimestamp: lastTimestamp ?? null,
    deprecatedSource: source ?? {},
  });
}

function withoutAbsent(object: KubeObject): KubeObject {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as KubeObject;
}
