/**
 * Types as the checker knows them: a kind, a name, and parameters. Types are compared by structure,
 * never by identity, and are immutable.
 */

/**
 * What sort of type it is. `optional` is a kind of its own although the language spells it as an
 * opaque type.
 */
export type CelTypeKind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'object'
  | 'opaque'
  | 'optional'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'type-parameter'
  | 'uint'
  | 'wrapper';

/**
 * A type. `parameters` holds a list's element, a map's key and value, an optional's or wrapper's
 * content.
 */
export interface CelType {
  readonly kind: CelTypeKind;
  /** The name that `type(x)` prints, such as `int`, `google.protobuf.Timestamp` or `net.IP`. */
  readonly name: string;
  readonly parameters: readonly CelType[];
}

function simple(kind: CelTypeKind, name: string): CelType {
  return { kind, name, parameters: [] };
}

/** The types that need no parameters. */
export const celTypes = {
  any: simple('any', 'google.protobuf.Any'),
  bool: simple('bool', 'bool'),
  bytes: simple('bytes', 'bytes'),
  double: simple('double', 'double'),
  duration: simple('duration', 'google.protobuf.Duration'),
  dyn: simple('dyn', 'dyn'),
  error: simple('error', 'error'),
  int: simple('int', 'int'),
  null: simple('null', 'null_type'),
  string: simple('string', 'string'),
  timestamp: simple('timestamp', 'google.protobuf.Timestamp'),
  uint: simple('uint', 'uint'),
} as const;

/** `list(element)`. */
export function listType(element: CelType): CelType {
  return { kind: 'list', name: 'list', parameters: [element] };
}

/** `map(key, value)`. */
export function mapType(key: CelType, value: CelType): CelType {
  return { kind: 'map', name: 'map', parameters: [key, value] };
}

/** The type of an object whose fields a type provider declares under this name. */
export function objectType(name: string): CelType {
  return { kind: 'object', name, parameters: [] };
}

/** A type that only functions can look into. */
export function opaqueType(name: string, parameters: readonly CelType[] = []): CelType {
  return { kind: 'opaque', name, parameters };
}

/** `optional_type(content)`. */
export function optionalType(content: CelType): CelType {
  return { kind: 'optional', name: 'optional_type', parameters: [content] };
}

/** The type of a type value: `type(int)`; without a parameter, of any type. */
export function typeType(content?: CelType): CelType {
  return { kind: 'type', name: 'type', parameters: content === undefined ? [] : [content] };
}

/**
 * A parameter that each use of a function binds anew; `T` is the same type everywhere in one
 * signature.
 */
export function typeParameter(name: string): CelType {
  return { kind: 'type-parameter', name, parameters: [] };
}

/**
 * A scalar that may also be null, as a protobuf wrapper is: bool, bytes, double, int, string or
 * uint.
 */
export function wrapperType(content: CelType): CelType {
  return { kind: 'wrapper', name: content.name, parameters: [content] };
}
