// What ends a command before it serves: which errors are the user's to mend, and the exit code.

import { DecodeError } from '@keelson/apimachinery';
import {
  AdmissionConfigurationError,
  AdmissionPluginError,
  AuthenticationConfigurationError,
  AuthorizationConfigurationError,
  ExternalSignerError,
  FeatureGateError,
  RuntimeConfigError,
  ServiceRangeError,
} from '@keelson/apiserver';
import { NodeRulesError } from '@keelson/node-agent';
import { UnknownControllerError } from '../controller-list.ts';
import { TokenExpirationError } from '../service-account-tokens.ts';
import { AuthenticationFlagError } from './authentication-flags.ts';
import { ControllerFlagError } from './controller-flag-error.ts';
import { isFileError } from './file-error.ts';
import { RequestLimitError } from './request-limit-flags.ts';
import { ServiceAccountKeyError } from './service-account-flags.ts';
import { ServiceAccountFlagError } from './up-service-account-flags.ts';

/** One sentence for people, and the exit code. */
export class StartError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartError';
    this.exitCode = exitCode;
  }
}
/** Exit codes: a flag or file of the user is wrong; a resource is taken or cannot be used. */
export const exitCodes = { usage: 2, unavailable: 3 } as const;

/** Throws a StartError for what the user got wrong in flags and the files that they name. */
export function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const known =
      cause instanceof FeatureGateError ||
      cause instanceof RuntimeConfigError ||
      cause instanceof ServiceRangeError ||
      cause instanceof AdmissionConfigurationError ||
      cause instanceof AuthorizationConfigurationError ||
      cause instanceof DecodeError ||
      cause instanceof AuthenticationFlagError ||
      cause instanceof RequestLimitError ||
      cause instanceof NodeRulesError ||
      cause instanceof UnknownControllerError ||
      cause instanceof ControllerFlagError ||
      cause instanceof ServiceAccountFlagError ||
      cause instanceof ServiceAccountKeyError ||
      isFileError(cause);
    if (!known) throw cause;
    throw new StartError((cause as Error).message, exitCodes.usage, cause);
  }
}

/** For what shows only when the parts are put together; other errors are returned as they are. */
export function startErrorOf(error: unknown): unknown {
  if (error instanceof ExternalSignerError)
    return new StartError(error.message, exitCodes.unavailable, error);
  return isSettingsError(error) ? new StartError(error.message, exitCodes.usage, error) : error;
}

function isSettingsError(error: unknown): error is Error {
  return (
    error instanceof AdmissionPluginError ||
    error instanceof AdmissionConfigurationError ||
    error instanceof AuthenticationConfigurationError ||
    error instanceof AuthorizationConfigurationError ||
    error instanceof TokenExpirationError
  );
}
