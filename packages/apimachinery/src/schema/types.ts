// The type descriptors that everything schema-driven shares: decoding, defaulting, pruning,
// merge patches, server-side apply, OpenAPI, protobuf. Built-in kinds come from the generated
// table (`schema/builtin.ts`), custom resources from their structural schema; both give a
// `StructType`. Descriptors are immutable and may be cyclic (JSONSchemaProps), so walk by object.

import type { JsonValue } from '../json.ts';

/** What a value is in JSON, with Go's rules for it. */
export type TypeRef =
  | { readonly kind: 'string' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'double' }
  /** Base64 text in JSON, bytes in protobuf. */
  | { readonly kind: 'bytes' }
  /** RFC 3339 with seconds (`metav1.Time`). Written in UTC. */
  | { readonly kind: 'time' }
  /** RFC 3339 with six fraction digits (`metav1.MicroTime`). */
  | { readonly kind: 'micro-time' }
  /** Go duration text (`metav1.Duration`). */
  | { readonly kind: 'duration' }
  /** `resource.Quantity`: text or number in, canonical text out. */
  | { readonly kind: 'quantity' }
  | { readonly kind: 'int-or-string' }
  | AnyTypeRef
  /** `metav1.FieldsV1`: any JSON object. */
  | { readonly kind: 'fields-v1' }
  | ListTypeRef
  | MapTypeRef
  | StructTypeRef;

export interface StructTypeRef {
  readonly kind: 'struct';
  readonly type: StructType;
  /** `x-kubernetes-map-type` on the field, where it overrides that of the struct. */
  readonly atomic?: boolean;
}

/** Any JSON, kept as it is (`RawExtension`, `apiextensions JSON`, preserve-unknown-fields). */
export interface AnyTypeRef {
  readonly kind: 'any';
  /**
   * The untyped places of JSONSchemaProps, which only the codecs look into: a schema, or else a
   * list of schemas, a boolean, or a list of strings.
   */
  readonly union?: {
    readonly or: 'schemas' | 'bool' | 'strings';
    readonly schema: StructType;
  };
}

export interface ListTypeRef {
  readonly kind: 'list';
  readonly items: TypeRef;
  /** `x-kubernetes-list-type`; absent means atomic. */
  readonly listType: 'atomic' | 'set' | 'map';
  /** `x-kubernetes-list-map-keys`, when listType is map. */
  readonly mapKeys: readonly string[];
}
export interface MapTypeRef {
  readonly kind: 'map';
  readonly values: TypeRef;
  /** `x-kubernetes-map-type: atomic`. */
  readonly atomic: boolean;
}

export interface Field {
  /** JSON name. */
  readonly name: string;
  readonly type: TypeRef;
  /**
   * How Go writes the field. `always`: written even when zero or null (no omitempty), so decoding
   * materialises the zero value. `omitzero`: a plain value with omitempty, dropped when zero.
   * `pointer`: kept whenever it was given, also when zero. An absent pointer stays absent.
   */
  readonly presence: 'always' | 'omitzero' | 'pointer';
  /** An `always` field that Go holds as a pointer: its zero value is null. */
  readonly nullable?: boolean;
  readonly required: boolean;
  /** OpenAPI's default, where it says more than the zero value. */
  readonly default?: JsonValue;
  /** Allowed values of the field, or of the items of a list. */
  readonly enum?: readonly string[];
  /** Strategic merge patch: `merge`, `replace`, `retainKeys`, combinations in order. */
  readonly patchStrategy?: readonly string[];
  readonly mergeKey?: string;
  /** Field number in `generated.proto`, 0 when the type has no protobuf form. */
  readonly protobuf: number;
  /**
   * Go structs embedded inline that hold the field, outermost first. They are messages of their
   * own in protobuf and show in decoding errors; JSON does not see them.
   */
  readonly within?: readonly EmbeddedStruct[];
  /**
   * Go type as it appears in decoding errors, e.g. `int32`, `v1.SecretType`, `map[string]string`.
   */
  readonly goType: string;
  readonly description?: string;
}

export interface EmbeddedStruct {
  readonly goName: string;
  readonly protobuf: number;
}

export interface StructType {
  /**
   * OpenAPI definition name, `io.k8s.api.core.v1.Pod`; for custom resources a made-up unique name.
   */
  readonly name: string;
  /** Go's short name in error texts: `Pod`, `ObjectMeta`. */
  readonly goName: string;
  /** Fields in the order in which Go writes them. */
  readonly fields: readonly Field[];
  /** The same by JSON name. */
  readonly byName: ReadonlyMap<string, Field>;
  /** `x-kubernetes-map-type: atomic` on the struct: one unit for server-side apply. */
  readonly atomic: boolean;
  /** `x-kubernetes-preserve-unknown-fields`: unknown fields are kept and not reported. */
  readonly preserveUnknown: boolean;
  /** `x-kubernetes-unions`, as OpenAPI shows it. */
  readonly unions?: JsonValue;
  readonly description?: string;
}
