// From the bytes of `--authentication-config` to an AuthenticationConfiguration. Decoding is
// strict: what is misspelt, stands twice or belongs to a later release is an error, never left
// out.

import {
  decodeObject,
  DecodeError,
  decodeYamlObject,
  encodeJsonText,
  getOwn,
  isJsonObject,
  parseYaml,
  quoteGo,
  readTypeMeta,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import {
  AuthenticationConfigurationError,
  type AuthenticationConfiguration,
  type JwtAuthenticatorConfiguration,
  type PrefixedClaimOrExpression,
} from './authentication-configuration.ts';
import { authenticationConfigurationType } from './schema.ts';

const group = 'apiserver.config.k8s.io';
const configurationKind = 'AuthenticationConfiguration';
/** Versions of the file, with the first release that reads them. */
const versions: Readonly<Record<string, number>> = { v1alpha1: 29, v1beta1: 30, v1: 34 };
// Other kinds of the group, which are known and not wanted here.
const otherKinds: ReadonlySet<string> = new Set([
  'AdmissionConfiguration',
  'AuthorizationConfiguration',
  'EgressSelectorConfiguration',
  'EncryptionConfiguration',
  'TracingConfiguration',
]);

/** Throws AuthenticationConfigurationError. */
export function decodeAuthenticationConfiguration(
  source: Uint8Array,
  features: Features,
): AuthenticationConfiguration {
  if (source.byteLength === 0) throw new AuthenticationConfigurationError('empty config data');
  try {
    return toConfiguration(decode(Buffer.from(source).toString('utf8'), features.emulated.minor));
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new AuthenticationConfigurationError(cause.message, { cause });
  }
}

function decode(text: string, minor: number): JsonObject {
  const isJson = text.trimStart().startsWith('{');
  checkKind(isJson ? text : encodeJsonText(parseYaml(text).value), minor);
  const type = authenticationConfigurationType(minor);
  const strict = { strict: true };
  const { object, strictErrors } = isJson
    ? decodeObject(text, type, strict)
    : decodeYamlObject(text, type, strict);
  if (strictErrors.length > 0)
    throw new AuthenticationConfigurationError(`strict decoding error: ${strictErrors.join(', ')}`);
  return object as unknown as JsonObject;
}

function checkKind(json: string, minor: number): void {
  const { apiVersion, kind } = readTypeMeta(json);
  const fail = (message: string): never => {
    throw new AuthenticationConfigurationError(message);
  };
  if (kind === '') fail(`Object 'Kind' is missing in '${json}'`);
  if (apiVersion === '') fail(`Object 'apiVersion' is missing in '${json}'`);
  const [givenGroup, version = ''] = apiVersion.split('/');
  if (givenGroup === group && otherKinds.has(kind))
    fail(`expected AuthenticationConfiguration, got *apiserver.${kind}`);
  const since = Object.hasOwn(versions, version) ? versions[version] : undefined;
  if (givenGroup !== group || kind !== configurationKind || since === undefined || minor < since)
    fail(`no kind ${quoteGo(kind)} is registered for version ${quoteGo(apiVersion)}`);
}

function toConfiguration(object: JsonObject): AuthenticationConfiguration {
  const anonymous = getOwn(object, 'anonymous');
  return {
    jwt: objectsOf(object, 'jwt').map(toAuthenticator),
    ...(isJsonObject(anonymous)
      ? {
          anonymous: {
            enabled: getOwn(anonymous, 'enabled') === true,
            conditions: objectsOf(anonymous, 'conditions').map((c) => ({ path: text(c, 'path') })),
          },
        }
      : {}),
  };
}

function toAuthenticator(object: JsonObject): JwtAuthenticatorConfiguration {
  const issuer = objectOf(object, 'issuer');
  const mappings = objectOf(object, 'claimMappings');
  const uid = objectOf(mappings, 'uid');
  return {
    issuer: {
      url: text(issuer, 'url'),
      discoveryURL: text(issuer, 'discoveryURL'),
      certificateAuthority: text(issuer, 'certificateAuthority'),
      audiences: listOf(issuer, 'audiences').filter((item) => typeof item === 'string'),
      audienceMatchPolicy: text(issuer, 'audienceMatchPolicy'),
      egressSelectorType: text(issuer, 'egressSelectorType'),
    },
    claimValidationRules: objectsOf(object, 'claimValidationRules').map((rule) => ({
      claim: text(rule, 'claim'),
      requiredValue: text(rule, 'requiredValue'),
      expression: text(rule, 'expression'),
      message: text(rule, 'message'),
    })),
    claimMappings: {
      username: toPrefixed(objectOf(mappings, 'username')),
      groups: toPrefixed(objectOf(mappings, 'groups')),
      uid: { claim: text(uid, 'claim'), expression: text(uid, 'expression') },
      extra: objectsOf(mappings, 'extra').map((item) => ({
        key: text(item, 'key'),
        valueExpression: text(item, 'valueExpression'),
      })),
    },
    userValidationRules: objectsOf(object, 'userValidationRules').map((rule) => ({
      expression: text(rule, 'expression'),
      message: text(rule, 'message'),
    })),
  };
}

function toPrefixed(object: JsonObject): PrefixedClaimOrExpression {
  const prefix = getOwn(object, 'prefix');
  return {
    claim: text(object, 'claim'),
    ...(typeof prefix === 'string' ? { prefix } : {}),
    expression: text(object, 'expression'),
  };
}

function text(object: JsonObject, name: string): string {
  const value = getOwn(object, name);
  return typeof value === 'string' ? value : '';
}
function objectOf(object: JsonObject, name: string): JsonObject {
  const value = getOwn(object, name);
  return isJsonObject(value) ? value : {};
}
function listOf(object: JsonObject, name: string): readonly JsonValue[] {
  const value = getOwn(object, name);
  return Array.isArray(value) ? value : [];
}
/** A null in a list of structs is a struct of zero values to Go. */
function objectsOf(object: JsonObject, name: string): JsonObject[] {
  return listOf(object, name).map((item) => (isJsonObject(item) ? item : {}));
}
