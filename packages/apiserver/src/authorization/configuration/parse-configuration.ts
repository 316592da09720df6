// Reads the file of `--authorization-config`: decoded strictly, checked as kube-apiserver checks
// it, with its own rules last: what is not a webhook has the name of its type, and what the server
// started with stays.

import { DecodeError, decodeValue, getOwn, isJsonObject, parseYaml } from '@keelson/apimachinery';
import type { JsonObject, JsonValue } from '@keelson/apimachinery';
import { renderFieldError } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import {
  AuthorizationConfigurationError,
  nameOfType,
  type AuthorizationConfiguration,
  type AuthorizerType,
} from './authorization-configuration.ts';
import { configurationKind, configurationType, isServedVersion } from './configuration-types.ts';
import { validateConfiguration, type FileCheck } from './validate-configuration.ts';

export interface ParseOptions {
  readonly features: Features;
  /** Says what is wrong with a file that the configuration names. */
  readonly checkFile: FileCheck;
  /** Types that must be there, because the server started with them; webhooks do not count. */
  readonly requiredTypes?: ReadonlySet<AuthorizerType>;
}

/** Throws AuthorizationConfigurationError with all that is wrong. */
export function parseAuthorizationConfiguration(
  text: string,
  options: ParseOptions,
): AuthorizationConfiguration {
  const document = decode(text, options.features.emulated.minor);
  const { configuration, errors } = validateConfiguration(document, options);
  if (errors.length > 0) throw failure(errors.map(renderFieldError));
  const problems = [...misnamed(configuration), ...missing(configuration, options.requiredTypes)];
  if (problems.length > 0) throw failure(problems);
  return configuration;
}

function decode(text: string, minor: number): JsonObject {
  try {
    const { value, duplicateKeys } = parseYaml(text);
    assertKind(value, minor);
    const decoded = decodeValue(value, configurationType(minor), { strict: true });
    const strict = [
      ...(duplicateKeys === undefined ? [] : [duplicateKeys]),
      ...decoded.strictErrors,
    ];
    if (strict.length > 0)
      throw new AuthorizationConfigurationError(`strict decoding error: ${strict.join(', ')}`);
    return decoded.value;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new AuthorizationConfigurationError(error.message, { cause: error });
  }
}

function assertKind(value: JsonValue, minor: number): void {
  const object = isJsonObject(value) ? value : {};
  const kind = textOf(object, 'kind');
  const apiVersion = textOf(object, 'apiVersion');
  const shown = JSON.stringify(value);
  if (kind === '')
    throw new AuthorizationConfigurationError(`Object 'Kind' is missing in '${shown}'`);
  if (apiVersion === '')
    throw new AuthorizationConfigurationError(`Object 'apiVersion' is missing in '${shown}'`);
  if (kind !== configurationKind || !isServedVersion(apiVersion, minor))
    throw new AuthorizationConfigurationError(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
}

function textOf(object: JsonObject, key: string): string {
  const value = getOwn(object, key);
  return typeof value === 'string' ? value : '';
}

function misnamed({ authorizers }: AuthorizationConfiguration): string[] {
  return authorizers.flatMap((entry) => {
    if (entry.type === 'Webhook' || entry.name === nameOfType(entry.type)) return [];
    return `expected name ${nameOfType(entry.type)} for authorizer ${entry.type} instead of ${entry.name}`;
  });
}

function missing(
  { authorizers }: AuthorizationConfiguration,
  required: ReadonlySet<AuthorizerType> = new Set(),
): string[] {
  const types = new Set(authorizers.map((entry) => entry.type));
  const absent = [...required].filter((type) => type !== 'Webhook' && !types.has(type)).toSorted();
  return absent.length === 0 ? [] : [`missing required types: [${absent.join(' ')}]`];
}

/** One error as it is, several as Go's aggregate shows them: each once, in brackets. */
function failure(problems: readonly string[]): AuthorizationConfigurationError {
  const texts = [...new Set(problems)];
  const message = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return new AuthorizationConfigurationError(message);
}
