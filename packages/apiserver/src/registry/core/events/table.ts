// `kubectl get events`, for both APIs; works on the stored form.

import type { Event } from '@keelson/apimachinery/types/core.v1';
import { since } from '../../printing/cells.ts';

export function eventCells(event: Event, nowMs: number): unknown[] {
  const { involvedObject: about, source, series } = event;
  const firstSeen = since(event.firstTimestamp || event.eventTime, nowMs);
  const lastSeen = event.lastTimestamp ? since(event.lastTimestamp, nowMs) : firstSeen;
  const kind = (about.kind ?? '').toLowerCase();
  const component = source?.component || event.reportingComponent || '';
  const instance = source?.host || event.reportingInstance || '';
  return [
    series ? since(series.lastObservedTime, nowMs) : lastSeen,
    event.type ?? '',
    event.reason ?? '',
    about.name ? `${kind}/${about.name}` : kind,
    about.fieldPath ?? '',
    instance === '' ? component : `${component}, ${instance}`,
    (event.message ?? '').trim(),
    firstSeen,
    // An event of the new API that happened once has no count.
    series ? (series.count ?? 0) : event.count || 1,
    event.metadata.name,
  ];
}
