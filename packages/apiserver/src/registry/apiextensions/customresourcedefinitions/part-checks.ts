// Validation of the smaller parts of a definition: names, columns, selectable fields, subresources,
// conversion, deprecation.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { dns1035Label } from '../../validation/names.ts';
import { reviewVersions } from '../../validation/review-versions.ts';
import { caBundle, webhookClientConfig } from '../../validation/webhook-client.ts';
import { selectablePathOptions } from '../custom-resources/selectable-fields.ts';
import { childPath, indexPath } from '../schema/field-path.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { resolveSchemaPath } from '../schema/schema-path.ts';

/** One error for all that is wrong with a label. */
export function labelErrors(path: string, value: string, prefix = ''): FieldError[] {
  const problems = dns1035Label(prefix === '' ? value : value.toLowerCase());
  if (problems.length === 0) return [];
  return [fieldError.invalid(path, value, prefix + problems.join(','))];
}

const mixedCase = 'may have mixed case, but should otherwise match: ';

/** Whatever names are set must be labels; which of them are needed is the caller's business. */
export function namesErrors(
  names: Partial<CustomResourceDefinitionNames>,
  path: string,
): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '' } = names;
  const check = (name: string, value: string, prefix = '') =>
    value === '' ? [] : labelErrors(childPath(path, name), value, prefix);
  const each = (name: string, values: readonly string[] | undefined) =>
    (values ?? []).flatMap((value, i) => labelErrors(indexPath(childPath(path, name), i), value));
  const errors = [
    ...check('plural', plural),
    ...check('singular', singular),
    ...check('kind', kind, mixedCase),
    ...check('listKind', listKind, mixedCase),
    ...each('shortNames', names.shortNames),
  ];
  if (kind !== '' && kind === listKind) {
    const why = 'kind and listKind may not be the same';
    errors.push(fieldError.invalid(childPath(path, 'listKind'), listKind, why));
  }
  return [...errors, ...each('categories', names.categories)];
}

export function requiredNamesErrors(
  names: CustomResourceDefinitionNames,
  path: string,
): FieldError[] {
  return (['plural', 'singular', 'kind', 'listKind'] as const)
    .filter((name) => !names[name])
    .map((name) => fieldError.required(childPath(path, name)));
}

const columnTypes = 'boolean,date,integer,number,string'.split(',');
const columnFormats = 'byte,date,date-time,double,float,int32,int64,password'.split(',');

export function columnErrors(column: CustomResourceColumnDefinition, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name, type, format = '', jsonPath } = column;
  const typesSentence = `must be one of ${columnTypes.join(',')}`;
  if (!name) errors.push(fieldError.required(childPath(path, 'name')));
  if (!type) errors.push(fieldError.required(childPath(path, 'type'), typesSentence));
  else if (!columnTypes.includes(type)) {
    errors.push(fieldError.invalid(childPath(path, 'type'), type, typesSentence));
  }
  if (format !== '' && !columnFormats.includes(format)) {
    const why = `must be one of ${columnFormats.join(',')}`;
    errors.push(fieldError.invalid(childPath(path, 'format'), format, why));
  }
  // COMPAT: the path of this field in errors is not its JSON name.
  const at = childPath(path, 'JSONPath');
  if (!jsonPath) errors.push(fieldError.required(at));
  else errors.push(...simplePathErrors(jsonPath, at));
  return errors;
}

function simplePathErrors(text: string, path: string): FieldError[] {
  if (text.startsWith('.')) return [];
  return [fieldError.invalid(path, text, 'must be a simple json path starting with .')];
}

export const selectableFieldsMax = 8;

export function selectableFieldsErrors(
  fields: readonly SelectableField[],
  schema: JsonSchema,
  { path, allowTooMany }: { readonly path: string; readonly allowTooMany: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  fields.forEach(({ jsonPath = '' }, i) => {
    const at = childPath(indexPath(path, i), 'jsonPath');
    if (jsonPath === '') {
      errors.push(fieldError.required(at));
      return;
    }
    const result = resolveSchemaPath(jsonPath, schema, selectablePathOptions);
    if (!result.ok) {
      errors.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${result.why}`));
      return;
    }
    const { segments, path: resolved, schema: target } = result.resolved;
    if (segments[0] === 'metadata') {
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    }
    if (!['string', 'boolean', 'integer'].includes(target.type ?? '')) {
      const why =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(fieldError.invalid(at, jsonPath, why));
    }
    if (seen.has(resolved)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(resolved);
  });
  if (seen.size > selectableFieldsMax && !allowTooMany) {
    errors.push(fieldError.tooMany(path, seen.size, selectableFieldsMax));
  }
  return errors;
}

export function subresourcesErrors(
  subresources: CustomResourceSubresources | undefined,
  path: string,
): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const errors: FieldError[] = [];
  const below = (field: string, value: string, roots: readonly string[]) => {
    const at = childPath(path, `scale.${field}`);
    const wrong = simplePathErrors(value, at);
    if (wrong.length > 0) errors.push(...wrong);
    else if (!roots.some((root) => value.startsWith(`${root}.`))) {
      const where = roots.length === 1 ? roots[0] : `either ${roots.join(' or ')}`;
      errors.push(fieldError.invalid(at, value, `should be a json path under ${where}`));
    }
  };
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  if (specReplicasPath) below('specReplicasPath', specReplicasPath, ['.spec']);
  else errors.push(fieldError.required(childPath(path, 'scale.specReplicasPath')));
  if (statusReplicasPath) below('statusReplicasPath', statusReplicasPath, ['.status']);
  else errors.push(fieldError.required(childPath(path, 'scale.statusReplicasPath')));
  if (labelSelectorPath) below('labelSelectorPath', labelSelectorPath, ['.spec', '.status']);
  return errors;
}

export interface ConversionOptions {
  readonly path: string;
  readonly requireAskedVersion: boolean;
  readonly allowInvalidCaBundle: boolean;
}

/** COMPAT: the paths of webhook fields are those of the internal form. */
export function conversionErrors(
  conversion: CustomResourceConversion | undefined,
  options: ConversionOptions,
): FieldError[] {
  if (!conversion) return [];
  const { path } = options;
  const { strategy = '', webhook } = conversion;
  const errors: FieldError[] = [];
  const strategyPath = childPath(path, 'strategy');
  if (strategy === '') errors.push(fieldError.required(strategyPath));
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(fieldError.notSupported(strategyPath, strategy, ['None', 'Webhook']));
  }
  const clientPath = childPath(path, 'webhookClientConfig');
  const versionsPath = childPath(path, 'conversionReviewVersions');
  const client = webhook?.clientConfig;
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy !== 'Webhook') {
    const why = 'should not be set when strategy is not set to Webhook';
    if (client) errors.push(fieldError.forbidden(clientPath, why));
    if (versions.length > 0) errors.push(fieldError.forbidden(versionsPath, why));
    return errors;
  }
  if (!client) {
    errors.push(fieldError.required(clientPath, 'required when strategy is set to Webhook'));
  } else {
    webhookClientConfig(errors, clientPath, client);
    if (!options.allowInvalidCaBundle) {
      caBundle(errors, childPath(clientPath, 'caBundle'), client.caBundle);
    }
  }
  reviewVersions(errors, versionsPath, versions, { requireAsked: options.requireAskedVersion });
  return errors;
}

const warningBytesMax = 256;

export function deprecationErrors(
  { deprecated = false, deprecationWarning }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  if (deprecationWarning === undefined) return [];
  const refuse = (why: string) => fieldError.invalid(path, deprecationWarning, why);
  if (!deprecated) return [refuse('can only be set for deprecated versions')];
  const errors: FieldError[] = [];
  if (Buffer.byteLength(deprecationWarning) > warningBytesMax) {
    errors.push(refuse(`must be <= ${warningBytesMax} characters long`));
  }
  if (deprecationWarning === '') errors.push(refuse('must not be an empty string'));
  const unprintable = /(?! )[\p{C}\p{Z}]/u.exec(deprecationWarning);
  if (unprintable) {
    const index = Buffer.byteLength(deprecationWarning.slice(0, unprintable.index));
    const sentence = 'must only contain printable UTF-8 characters; non-printable character found';
    errors.push(refuse(`${sentence} at index ${index}`));
  }
  return errors;
}
