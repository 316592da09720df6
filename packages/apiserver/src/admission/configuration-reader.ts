// Reads decoded configuration files into typed values. Files are written by administrators and read
// once, at start-up, so that anything odd is an error which names the field.

/** Why a configuration cannot be used; the message names the field. */
export class AdmissionConfigurationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AdmissionConfigurationError';
  }
}

export type ConfigurationFields = ReadonlyMap<string, unknown>;

/** The fields of an object; absent and null are empty. */
export function readFields(value: unknown, path: string): ConfigurationFields {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(path, 'an object');
  return new Map(Object.entries(value));
}

/** The items of a list; absent and null are empty. */
export function readList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(path, 'a list');
  return value;
}

/** A text; absent and null are empty. */
export function readText(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrongType(path, 'a string');
  return value;
}

export function readTexts(value: unknown, path: string): string[] {
  return readList(value, path).map((item, i) => readText(item, `${path}[${i}]`));
}

/** A whole number; undefined when absent or null. */
export function readInteger(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw wrongType(path, 'an integer');
  return value;
}

/** Refuses fields that nobody knows, as strict decoding does. */
export function refuseOtherFields(
  fields: ConfigurationFields,
  known: readonly string[],
  path = '',
): void {
  const unknown = [...fields.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const texts = unknown.map((name) => `unknown field "${path}${name}"`);
  throw new AdmissionConfigurationError(`strict decoding error: ${texts.join(', ')}`);
}

/** Checks kind and version of a file; `known` are texts like `apiserver.config.k8s.io/v1`. */
export function checkKind(
  fields: ConfigurationFields,
  kind: string,
  known: readonly string[],
): void {
  const [givenKind, version] = [readText(fields.get('kind'), 'kind'), fields.get('apiVersion')];
  const shown = JSON.stringify(Object.fromEntries(fields));
  if (givenKind === '')
    throw new AdmissionConfigurationError(`Object 'Kind' is missing in '${shown}'`);
  const givenVersion = readText(version, 'apiVersion');
  if (givenVersion === '')
    throw new AdmissionConfigurationError(`Object 'apiVersion' is missing in '${shown}'`);
  if (givenKind !== kind || !known.includes(givenVersion))
    throw new AdmissionConfigurationError(
      `no kind ${JSON.stringify(givenKind)} is registered for version ${JSON.stringify(givenVersion)}`,
    );
}

function wrongType(path: string, wanted: string): AdmissionConfigurationError {
  return new AdmissionConfigurationError(
    `${path === '' ? 'the configuration' : path} must be ${wanted}`,
  );
}
