/**
 * The language's own conformance tests, from `@bufbuild/cel-spec`, as data for this engine:
 * expressions, variables and expected values. Tests that need protobuf messages cannot be expressed
 * and say so.
 */

import type { Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import { Type_PrimitiveType, Type_WellKnownType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import type { ExprValue } from '@bufbuild/cel-spec/cel/expr/eval_pb.js';
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import type { IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import {
  celList,
  celMap,
  celTypes,
  celTypeValue,
  celUint,
  listType,
  mapType,
  objectType,
  opaqueType,
  optionalType,
  typeType,
} from '../src/index.ts';
import type { CelType, CelValue } from '../src/index.ts';

/** One test, by its place in the suite. */
export interface ConformanceTest {
  /** `file/section`. */
  readonly section: string;
  readonly name: string;
  readonly original: SimpleTest;
}

/** What a test needs of protobuf, which this engine does not have. */
export class NeedsProtobuf extends Error {}

/** Whether a test is about protobuf messages, by its expression. */
export function usesMessages({ expr, container }: SimpleTest): boolean {
  return (
    /TestAllTypes|TestRequired|google\.protobuf\.(?!Timestamp|Duration)|proto\.|\.proto/.test(
      expr,
    ) || /TestAllTypes|conformance|protobuf/.test(container)
  );
}

/** All tests. */
export function conformanceTests(): ConformanceTest[] {
  const tests: ConformanceTest[] = [];
  const collect = (suite: IncrementalTestSuite, path: readonly string[]): void => {
    for (const test of suite.tests) {
      tests.push({ section: path.join('/'), name: test.name, original: test.original });
    }
    for (const inner of suite.suites) collect(inner, [...path, inner.name]);
  };
  collect(getConformanceSuite(), []);
  return tests;
}

/** The value that a test binds or expects. Throws `NeedsProtobuf`. */
export function toCelValue(value: Value): CelValue {
  const { kind } = value;
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'uint64Value':
      return celUint(kind.value);
    case 'listValue':
      return celList(kind.value.values.map(toCelValue));
    case 'mapValue':
      return celMap(
        kind.value.entries.map((entry) => [required(entry.key), required(entry.value)] as const),
      );
    case 'typeValue':
      return celTypeValue(typeByName(kind.value));
    default:
      throw new NeedsProtobuf(kind.case ?? 'no value');
  }
}

function required(value: Value | undefined): CelValue {
  if (value === undefined) throw new NeedsProtobuf('no value');
  return toCelValue(value);
}

function typeByName(name: string): CelType {
  const simple = Object.values(celTypes).find((type) => type.name === name);
  if (simple !== undefined) return simple;
  if (name === 'list') return listType(celTypes.dyn);
  if (name === 'map') return mapType(celTypes.dyn, celTypes.dyn);
  if (name === 'type') return typeType();
  if (name === 'optional_type') return optionalType(celTypes.dyn);
  return objectType(name);
}

/** The value of a binding. */
export function toBinding(binding: ExprValue): CelValue {
  if (binding.kind.case !== 'value') throw new NeedsProtobuf(binding.kind.case ?? 'no value');
  return toCelValue(binding.kind.value);
}

const primitives: ReadonlyMap<Type_PrimitiveType, CelType> = new Map([
  [Type_PrimitiveType.BOOL, celTypes.bool],
  [Type_PrimitiveType.BYTES, celTypes.bytes],
  [Type_PrimitiveType.DOUBLE, celTypes.double],
  [Type_PrimitiveType.INT64, celTypes.int],
  [Type_PrimitiveType.STRING, celTypes.string],
  [Type_PrimitiveType.UINT64, celTypes.uint],
]);

const wellKnown: ReadonlyMap<Type_WellKnownType, CelType> = new Map([
  [Type_WellKnownType.TIMESTAMP, celTypes.timestamp],
  [Type_WellKnownType.DURATION, celTypes.duration],
]);

/** A type of a declaration or result. Throws `NeedsProtobuf`. */
export function toCelType(type: Type | undefined): CelType {
  if (type === undefined) throw new NeedsProtobuf('no type');
  const { typeKind } = type;
  switch (typeKind.case) {
    case 'dyn':
      return celTypes.dyn;
    case 'null':
      return celTypes.null;
    case 'primitive':
      return found(primitives.get(typeKind.value));
    case 'wellKnown':
      return found(wellKnown.get(typeKind.value));
    case 'listType':
      return listType(toCelType(typeKind.value.elemType));
    case 'mapType':
      return mapType(toCelType(typeKind.value.keyType), toCelType(typeKind.value.valueType));
    case 'type':
      return typeType(toCelType(typeKind.value));
    case 'abstractType': {
      const parameters = typeKind.value.parameterTypes.map(toCelType);
      const [content] = parameters;
      return typeKind.value.name === 'optional_type' && content !== undefined
        ? optionalType(content)
        : opaqueType(typeKind.value.name, parameters);
    }
    default:
      throw new NeedsProtobuf(typeKind.case ?? 'no type');
  }
}

function found(type: CelType | undefined): CelType {
  if (type === undefined) throw new NeedsProtobuf('type');
  return type;
}
