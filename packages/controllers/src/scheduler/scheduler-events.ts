// Events of schedulers: each profile tells under its own name.

import { errorText, type ControllerContext } from '../machinery/controller.ts';
import { createEventRecorder, type EventRecorder } from '../machinery/event-recorder.ts';

export interface SchedulerEvents {
  of(schedulerName: string): EventRecorder;
}

export function createSchedulerEvents({ client, clock, log }: ControllerContext): SchedulerEvents {
  const onError = (error: unknown) => log.warn('event not written', { error: errorText(error) });
  const recorders = new Map<string, EventRecorder>();
  return {
    // Only names of profiles come here, which are few.
    of(component) {
      let recorder = recorders.get(component);
      if (recorder === undefined)
        recorders.set(
          component,
          (recorder = createEventRecorder({ client, clock, component, onError })),
        );
      return recorder;
    },
  };
}
