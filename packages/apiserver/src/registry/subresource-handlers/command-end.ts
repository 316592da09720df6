// How a command ended, from what a kubelet says on the stream `error`, as client-go reads it and
// kube-apiserver tells it to a client over a WebSocket.
//
//   v4, v5    a Status; one with reason NonZeroExitCode has the exit code among its causes
//   others    the message of what failed; nothing when nothing did

import { isJsonObject, isStatusError, statusErrors, type JsonValue } from '@keelson/apimachinery';
import { tellsStatus } from '@keelson/apimachinery/streaming';

export interface CommandEnd {
  /** HTTP's: 200 when the command ran, whatever it ended with. */
  readonly code: number;
  readonly status: object;
}

const success: CommandEnd = { code: 200, status: { metadata: {}, status: 'Success' } };

export function endOfCommand(protocol: string, said: string): CommandEnd {
  if (said === '') return success;
  if (!tellsStatus(protocol)) return failureOf(`error executing remote command: ${said}`);
  const status = parse(said);
  if (!isJsonObject(status))
    return failureOf(`error stream protocol error: invalid JSON in ${JSON.stringify(said)}`);
  if (status['status'] === 'Success') return success;
  if (status['status'] !== 'Failure')
    return failureOf('error stream protocol error: unknown error');
  if (status['reason'] !== 'NonZeroExitCode') return failureOf(String(status['message'] ?? ''));
  const code = exitCodeOf(status['details']);
  return code === undefined
    ? failureOf('error stream protocol error: no ExitCode cause given')
    : exited(code);
}

/** Something else than the command failed. */
export function failureOf(error: unknown): CommandEnd {
  const failure = isStatusError(error) ? error : statusErrors.internalError(textOf(error));
  const { kind: _kind, apiVersion: _version, ...status } = failure.status;
  return { code: failure.code, status };
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function exited(code: string): CommandEnd {
  const message = `command terminated with non-zero exit code: command terminated with exit code ${code}`;
  const details = { causes: [{ reason: 'ExitCode', message: code }] };
  const status = { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details };
  return { code: 200, status };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function exitCodeOf(details: JsonValue | undefined): string | undefined {
  const causes = isJsonObject(details) && Array.isArray(details['causes']) ? details['causes'] : [];
  const cause = causes.filter(isJsonObject).find(({ reason }) => reason === 'ExitCode');
  const message = cause?.['message'];
  return typeof message === 'string' && /^\d{1,3}$/.test(message) && Number(message) < 256
    ? message
    : undefined;
}
