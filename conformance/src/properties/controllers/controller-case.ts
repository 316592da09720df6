// What a test has to know of a controller to let it live among random objects.

import type { Client } from '@keelson/client';
import type { Look } from './look.ts';

export interface ControllerCase {
  /** As `group/resource`: what it reads and writes. */
  readonly kinds: readonly string[];
  /** What is there before users begin. */
  readonly prepare?: (client: Client) => Promise<unknown>;
  /** Lives, as the seeds of their moves, that were not as they should be once. */
  readonly lives?: readonly (readonly number[])[];
  /** What is wrong, in words; nothing when all is well. */
  readonly wrong?: (look: Look) => Iterable<string>;
}
