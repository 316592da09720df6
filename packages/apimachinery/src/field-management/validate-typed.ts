// Whether a value has the form that its schema demands of an applied configuration: known fields,
// scalars of the right kind, list items with their keys and without duplicates. Null is allowed
// anywhere.
// COMPAT: the texts, with Go's notation for values, are those that clients see.

import { formatGoLiteral, formatGoValue, goTypeName } from '../go-value.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import {
  atomKind,
  itemElement,
  ListItemError,
  memberAtom,
  type Atom,
  type ListAtom,
  type MapAtom,
  type ScalarAtom,
} from './atom.ts';
import { fieldElement, formatElement } from './path-element.ts';

interface Fault {
  /** `.spec.ports`, built from the inside out. */
  path: string;
  readonly message: string;
}

/** What is wrong, as one text; undefined when the value is valid. */
export function validateTyped(value: JsonValue, atom: Atom): string | undefined {
  const texts = validate(value, atom).map((fault) =>
    fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`,
  );
  if (texts.length === 0) return undefined;
  return texts.length === 1 ? texts[0] : ['errors:', ...texts.map((t) => `  ${t}`)].join('\n');
}

const valid: readonly Fault[] = [];

function validate(value: JsonValue, atom: Atom): readonly Fault[] {
  if (value === null) return valid;
  const kind = atomKind(atom, value);
  if (kind === 'map') return atom.map ? validateMap(value, atom.map) : valid;
  if (kind === 'list') return atom.list ? validateList(value, atom.list) : valid;
  return atom.scalar ? validateScalar(value, atom.scalar) : valid;
}

function validateScalar(value: JsonValue, scalar: ScalarAtom): readonly Fault[] {
  switch (scalar) {
    case 'numeric':
      if (typeof value === 'number' || typeof value === 'bigint') return valid;
      return fault(`expected numeric (int or float), got ${goTypeName(value)}`);
    case 'string':
      if (typeof value === 'string') return valid;
      return fault(
        `expected string, got &value.valueUnstructured{Value:${formatGoLiteral(value)}}`,
      );
    case 'boolean':
      if (typeof value === 'boolean') return valid;
      return fault(`expected boolean, got ${formatPointer(value)}`);
    case 'untyped':
      if (typeof value !== 'object') return valid;
      return fault(`expected any scalar, got ${formatPointer(value)}`);
  }
}

function validateMap(value: JsonValue, map: MapAtom): readonly Fault[] {
  if (typeof value !== 'object' || Array.isArray(value)) {
    return fault(`expected map, got ${formatPointer(value)}`);
  }
  const faults: Fault[] = [];
  for (const [name, member] of Object.entries(value as JsonObject)) {
    if (member === undefined) continue;
    const atom = memberAtom(map, name);
    if (!atom) {
      faults.push({ path: `.${name}`, message: 'field not declared in schema' });
      // The first unknown field ends the search.
      break;
    }
    faults.push(...below(fieldElement(name), validate(member, atom)));
  }
  return faults;
}

function validateList(value: JsonValue, list: ListAtom): readonly Fault[] {
  if (!Array.isArray(value)) return fault(`expected list, got ${formatPointer(value)}`);
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    let element = `i:${i}`;
    if (!list.atomic) {
      try {
        element = itemElement(list, item);
      } catch (e) {
        if (!(e instanceof ListItemError)) throw e;
        faults.push({ path: '', message: `element ${i}: ${e.message}` });
        return faults;
      }
      if (seen.has(element)) {
        const key = formatElement(element);
        faults.push({ path: '', message: `duplicate entries for key ${key}` });
      }
      seen.add(element);
    }
    faults.push(...below(element, validate(item, list.items)));
  }
  return faults;
}

function below(element: string, faults: readonly Fault[]): readonly Fault[] {
  if (faults.length > 0) {
    const prefix = formatElement(element);
    for (const f of faults) f.path = prefix + f.path;
  }
  return faults;
}

function fault(message: string): readonly Fault[] {
  return [{ path: '', message }];
}

/** A pointer to the decoded value, as `%v` prints it. */
function formatPointer(value: JsonValue): string {
  return `&{${formatGoValue(value)}}`;
}
