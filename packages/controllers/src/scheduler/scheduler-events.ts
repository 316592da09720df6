// Events of schedulers: each profile tells under its own name.

import type { ControllerContext } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';

export interface SchedulerEvents {
  of(schedulerName: string): EventRecorder;
}

export function createSchedulerEvents(context: ControllerContext): SchedulerEvents {
  const recorders = new Map<string, EventRecorder>();
  return {
    // Only names of profiles come here, which are few.
    of(component) {
      const recorder = recorders.get(component) ?? createControllerEvents(context, component);
      recorders.set(component, recorder);
      return recorder;
    },
  };
}
