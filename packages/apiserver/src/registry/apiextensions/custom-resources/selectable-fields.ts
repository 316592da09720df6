// Field labels of custom resources: besides name and namespace, the selectable fields of the
// version.

import { asJson, isJsonObject, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import { resolveSchemaPath, type SchemaPathOptions } from '../schema/schema-path.ts';
import type { JsonSchema } from '../schema/json-schema.ts';

export interface SelectableFields {
  /** `spec.color` for the JSON path `.spec.color`. */
  readonly labels: readonly string[];
  /** The value of each label; missing fields count as the empty text. */
  values(object: KubeObject): Record<string, string>;
}

export const selectablePathOptions: SchemaPathOptions = { brackets: false };

export function createSelectableFields(
  declared: readonly { readonly jsonPath?: string }[] | undefined,
  schema: JsonSchema,
): SelectableFields {
  const fields: { readonly label: string; readonly segments: readonly string[] }[] = [];
  for (const { jsonPath = '' } of declared ?? []) {
    const result = resolveSchemaPath(jsonPath, schema, selectablePathOptions);
    if (result.ok) fields.push({ label: result.resolved.path, segments: result.resolved.segments });
  }
  return {
    labels: fields.map((field) => field.label),
    values: (object) =>
      Object.fromEntries(fields.map((f) => [f.label, textAt(asJson(object), f.segments)])),
  };
}

function textAt(root: JsonValue, segments: readonly string[]): string {
  let value: JsonValue | undefined = root;
  for (const segment of segments) {
    value = isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
  }
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
