// The events of a controller: told under its own name, and what cannot be written goes to its log.

import { errorText, type ControllerContext } from './controller.ts';
import { createEventRecorder, type EventRecorder } from './event-recorder.ts';

/** `component`: who speaks. */
export function createControllerEvents(
  { client, clock, log }: Pick<ControllerContext, 'client' | 'clock' | 'log'>,
  component: string,
): EventRecorder {
  const onError = (error: unknown) => log.warn('event not written', { error: errorText(error) });
  return createEventRecorder({ client, clock, component, onError });
}
