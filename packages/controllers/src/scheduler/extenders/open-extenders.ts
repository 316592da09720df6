// Opens the extenders of a configuration, for as long as a scheduler runs.

import type { ControllerLog } from '../../machinery/controller.ts';
import type { ExtenderTls } from '../configuration/extenders.ts';
import type { SchedulerConfiguration } from '../configuration/scheduler-configuration.ts';
import type { Extenders } from './ask-extenders.ts';
import { createExtender, type ExtenderClient } from './extender.ts';

export type OpenExtender = (tls: ExtenderTls) => ExtenderClient;

export interface OpenedExtenders {
  readonly extenders: Extenders;
  close(): void;
}

/** Undefined where none is configured. */
export function openExtenders(
  { extenders }: SchedulerConfiguration,
  open: OpenExtender | undefined,
  log: ControllerLog,
): OpenedExtenders | undefined {
  if (extenders.length === 0) return undefined;
  if (open === undefined) throw new Error('extenders cannot be reached from here');
  const clients = extenders.map((extender) => ({ extender, client: open(extender.tls) }));
  const all = clients.map(({ extender, client }) => createExtender(extender, client));
  return {
    extenders: { all, log },
    close: () => clients.forEach(({ client }) => client.close()),
  };
}
