// The scale subresource of custom resources: replicas and selector at the paths that the definition
// names, shown and changed as autoscaling/v1 Scale.

import {
  asJson,
  fieldError,
  isJsonObject,
  statusErrors,
  type FieldError,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  copyJson,
} from '@keelson/apimachinery';
import type { CustomResourceSubresourceScale } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ProjectionHandler } from '../../handlers.ts';
import type { CustomResourceDefinition } from './definition-parts.ts';

const int32Max = 2147483647;

type Found =
  | { readonly state: 'value'; readonly value: JsonValue }
  | { readonly state: 'absent' }
  | { readonly state: 'blocked'; readonly why: string };

const segmentsOf = (path: string) => path.replace(/^\./, '').split('.');

/** The value at a dotted path; blocked where something on the way is no object. */
function valueAt(root: JsonObject, path: string): Found {
  const segments = segmentsOf(path);
  let value: JsonValue | undefined = root;
  for (const [i, segment] of segments.entries()) {
    if (!isJsonObject(value)) {
      const shown = `.${segments.slice(0, i + 1).join('.')} accessor error`;
      const why = `${describe(value)} is of the type ${goTypeOf(value)}, expected map[string]interface{}`;
      return { state: 'blocked', why: `${shown}: ${why}` };
    }
    value = Object.hasOwn(value, segment) ? value[segment] : undefined;
    if (value === undefined) return { state: 'absent' };
  }
  return { state: 'value', value };
}

function describe(value: JsonValue | undefined): string {
  return value === null || value === undefined ? '<nil>' : String(value);
}

/** Go's name for the type of a decoded JSON value. */
function goTypeOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint' || Number.isInteger(value)) return 'int64';
  if (typeof value === 'number') return 'float64';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** Replicas as spec and status may have them: an integer that is not negative and fits 32 bits. */
function replicasErrors(root: JsonObject, path: string): FieldError[] {
  const found = valueAt(root, path);
  if (found.state === 'absent') return [];
  if (found.state === 'blocked') return [fieldError.invalid(path, 0, found.why)];
  const { value } = found;
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) {
    const why = `${path} accessor error: ${describe(value)} is of the type ${goTypeOf(value)}, expected int64`;
    return [fieldError.invalid(path, 0, why)];
  }
  if (value < 0) return [fieldError.invalid(path, value, 'should be a non-negative integer')];
  if (value <= int32Max) return [];
  return [fieldError.invalid(path, value, `should be less than or equal to ${int32Max}`)];
}

export function validateScaleSpec(
  root: JsonObject,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] {
  return scale === undefined ? [] : replicasErrors(root, scale.specReplicasPath);
}

export function validateScaleStatus(
  root: JsonObject,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] {
  if (scale === undefined) return [];
  const errors = replicasErrors(root, scale.statusReplicasPath);
  const { labelSelectorPath } = scale;
  if (!labelSelectorPath) return errors;
  const found = valueAt(root, labelSelectorPath);
  if (found.state === 'blocked') {
    errors.push(fieldError.invalid(labelSelectorPath, '', found.why));
  } else if (found.state === 'value' && typeof found.value !== 'string') {
    const why = `${labelSelectorPath} accessor error: ${describe(found.value)} is of the type ${goTypeOf(found.value)}, expected string`;
    errors.push(fieldError.invalid(labelSelectorPath, '', why));
  }
  return errors;
}

/** `GET`, `PUT` and `PATCH` of `/scale`. */
export function createScaleHandler(
  crd: CustomResourceDefinition,
  scale: CustomResourceSubresourceScale,
): ProjectionHandler {
  const resource = { group: crd.spec.group, resource: crd.spec.names.plural };
  return {
    resource,
    subresource: 'scale',
    project: (parent) => projectScale(parent, scale),
    merge(projection, parent) {
      const object = copyJson(parent);
      const spec = isJsonObject(projection['spec']) ? projection['spec'] : {};
      const replicas = spec['replicas'] ?? 0;
      setAt(asJson(object), segmentsOf(scale.specReplicasPath), replicas);
      return object;
    },
  };
}

function projectScale(parent: KubeObject, scale: CustomResourceSubresourceScale): KubeObject {
  const root = asJson(parent);
  const replicas = valueAt(root, scale.specReplicasPath);
  if (replicas.state === 'blocked') {
    throw statusErrors.internalError(`${replicas.why}`);
  }
  if (replicas.state === 'absent') {
    const why = `the spec replicas field "${scale.specReplicasPath}" does not exist`;
    throw statusErrors.internalError(why);
  }
  const observed = valueAt(root, scale.statusReplicasPath);
  const selector = scale.labelSelectorPath ? valueAt(root, scale.labelSelectorPath) : undefined;
  const text =
    selector?.state === 'value' && typeof selector.value === 'string' ? selector.value : '';
  const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: numberField(replicas.value),
    status: {
      replicas: observed.state === 'value' ? observed.value : 0,
      ...(text === '' ? {} : { selector: text }),
    },
  };
}

/** COMPAT: `replicas` of a Scale's spec is dropped when it is zero. */
function numberField(value: JsonValue): JsonObject {
  return value === 0 ? {} : { replicas: value };
}

function setAt(root: JsonObject, segments: readonly string[], value: JsonValue): void {
  let target = root;
  for (const segment of segments.slice(0, -1)) {
    const inner = target[segment];
    if (isJsonObject(inner)) target = inner;
    else {
      const made: JsonObject = {};
      target[segment] = made;
      target = made;
    }
  }
  const last = segments.at(-1);
  if (last !== undefined) target[last] = value;
}
