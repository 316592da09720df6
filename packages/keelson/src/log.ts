// The log: one JSON line per entry on standard error, through pino. Level 0 logs warnings, higher
// levels more, as `-v` of Kubernetes' components.

import { pino, type Logger as PinoLogger } from 'pino';
import type { Logger } from '@keelson/apiserver';

export function createLogger(verbosity: number, write: (line: string) => void): Logger {
  const level = verbosity >= 4 ? 'debug' : verbosity >= 1 ? 'info' : 'warn';
  const log: PinoLogger = pino({ level, base: null }, { write });
  return {
    error: (message, fields = {}) => log.error(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    debug: (message, fields = {}) => log.debug(fields, message),
  };
}
