// How exec and attach tell the client that the command is over: from v4 on as a Status, before as
// the message of what failed, and nothing when nothing did.

import { tellsStatus } from '@keelson/apimachinery/streaming';
import type { CommandStatus } from './command-session.ts';

export function endText(status: CommandStatus, protocol: string): string {
  return tellsStatus(protocol) ? JSON.stringify(status) : (status.message ?? '');
}
