/**
 * Whether values have the types that an overload asks for. Of lists and maps only the first element
 * is looked at, so that the test is quick; it is there to choose between overloads, not to
 * validate.
 */

import type { CelType } from '../types/type.ts';
import { entriesOf } from '../values/map.ts';
import { isError, isList, isMap, isOptional, kindOf } from '../values/value.ts';
import type { CelResult, CelValueKind } from '../values/value.ts';

/** Decides about one value. Errors match nothing. */
export type TypeTest = (value: CelResult) => boolean;

const isAnything: TypeTest = (value) => !isError(value);

/** The test for a type. */
export function typeTest(type: CelType): TypeTest {
  switch (type.kind) {
    case 'any':
    case 'dyn':
    case 'error':
    case 'type-parameter':
      return isAnything;
    case 'bool':
      return (value) => typeof value === 'boolean';
    case 'string':
      return (value) => typeof value === 'string';
    case 'int':
      return (value) => typeof value === 'bigint';
    case 'double':
      return (value) => typeof value === 'number';
    case 'list':
      return listTest(type);
    case 'map':
      return mapTest(type);
    case 'optional':
      return optionalTest(type);
    case 'object':
    case 'opaque':
      return namedTest(type);
    case 'wrapper':
      return wrapperTest(type);
    case 'bytes':
    case 'duration':
    case 'null':
    case 'timestamp':
    case 'type':
    case 'uint':
      return kindTest(type.kind);
  }
}

function kindTest(kind: CelValueKind): TypeTest {
  return (value) => kindOf(value) === kind;
}

function contentTest(type: CelType, index: number): TypeTest {
  const content = type.parameters[index];
  return content === undefined ? isAnything : typeTest(content);
}

function listTest(type: CelType): TypeTest {
  const test = contentTest(type, 0);
  if (test === isAnything) return isList;
  return (value) => isList(value) && (value.size === 0 || test(value.get(0)));
}

function mapTest(type: CelType): TypeTest {
  const testKey = contentTest(type, 0);
  const testValue = contentTest(type, 1);
  if (testKey === isAnything && testValue === isAnything) return isMap;
  return (map) => {
    if (!isMap(map)) return false;
    for (const [key, value] of entriesOf(map)) return testKey(key) && testValue(value);
    return true;
  };
}

function optionalTest(type: CelType): TypeTest {
  const test = contentTest(type, 0);
  return (value) => isOptional(value) && (value.value === undefined || test(value.value));
}

function namedTest(type: CelType): TypeTest {
  return (value) => {
    if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
    return (value.kind === 'object' || value.kind === 'opaque') && value.type.name === type.name;
  };
}

function wrapperTest(type: CelType): TypeTest {
  const test = contentTest(type, 0);
  return (value) => value === null || test(value);
}
