// Validation of Events, which are one kind under two APIs: core/v1, whose rules are the loose ones
// of old, and events.k8s.io/v1, which asks for more. Works on the stored form, core/v1; errors name
// its fields.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Event } from '@keelson/apimachinery/types/core.v1';
import { conforms, immutable, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Subdomain, isLongerThan, qualifiedName } from '../../validation/names.ts';

const textBytesMax = 128;
const noteBytesMax = 1024;

/**
 * The rules of core/v1. `controllerField` is what the requested version calls the reporting
 * controller.
 */
export function validateEvent(event: Event, controllerField = 'reportingComponent'): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata.namespace ?? '';
  const about = event.involvedObject.namespace ?? '';
  if (!event.eventTime) {
    const agrees = about === '' ? ['', 'default'].includes(namespace) : about === namespace;
    if (!agrees) refuseNamespace(errors, about);
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') {
      refuseNamespace(errors, about);
    }
    checkReporter(errors, event, controllerField);
  }
  conforms(errors, 'namespace', namespace, dns1123Subdomain);
  return errors;
}

function refuseNamespace(errors: FieldError[], namespace: string): void {
  const why = 'does not match event.namespace';
  errors.push(fieldError.invalid('involvedObject.namespace', namespace, why));
}

function checkReporter(errors: FieldError[], event: Event, controllerField: string): void {
  const controller = event.reportingComponent ?? '';
  required(errors, controllerField, controller);
  conforms(errors, controllerField, controller, qualifiedName);
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    required(errors, field, event[field]);
    checkLength(errors, field, [event[field], textBytesMax]);
  }
  checkLength(errors, 'message', [event.message, noteBytesMax]);
}

function checkLength(
  errors: FieldError[],
  path: string,
  [text, bytesMax]: readonly [string | undefined, number],
): void {
  if (text === undefined || !isLongerThan(text, bytesMax)) return;
  errors.push(fieldError.invalid(path, '', `can have at most ${bytesMax} characters`));
}

/** The rules of events.k8s.io/v1 for creation. */
export function validateNewEvent(event: Event): FieldError[] {
  const errors = validateEvent(event, 'reportingController');
  checkSeries(errors, event);
  required(errors, 'eventTime', event.eventTime);
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(fieldError.invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  const refuse = (path: string) => errors.push(fieldError.invalid(path, '', 'needs to be unset'));
  if (event.firstTimestamp) refuse('firstTimestamp');
  if (event.lastTimestamp) refuse('lastTimestamp');
  if (event.count) refuse('count');
  if (event.source?.component || event.source?.host) refuse('source');
  return errors;
}

function checkSeries(errors: FieldError[], { series }: Event): void {
  if (!series) return;
  if ((series.count ?? 0) < 2) {
    errors.push(fieldError.invalid('series.count', '', 'should be at least 2'));
  }
  required(errors, 'series.lastObservedTime', series.lastObservedTime);
}

const immutableFields = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
] as const;

/** The rules of events.k8s.io/v1 for updates: only the series may go on. */
export function validateNewEventUpdate(event: Event, old: Event): FieldError[] {
  const errors = validateEvent(event, 'reportingController');
  if (!isSemanticallyEqual(event.series, old.series)) checkSeries(errors, event);
  for (const field of immutableFields) immutable(errors, field, [event[field], old[field]]);
  const controllers = [event.reportingComponent, old.reportingComponent] as const;
  immutable(errors, 'reportingController', controllers);
  immutable(errors, 'reportingInstance', [event.reportingInstance, old.reportingInstance]);
  return errors;
}
