/**
 * Literals of lists, maps and objects. Those of constants are made once, if constants are folded.
 */

import type { ListExpression, MapExpression, StructExpression } from '../ast/expression.ts';
import { creationCosts } from '../cost/default-call-cost.ts';
import { celError } from '../values/error.ts';
import { celList } from '../values/list.ts';
import { celMap } from '../values/map.ts';
import { isError, isOptional } from '../values/value.ts';
import type { CelValue } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';
import { addEntry, nonOptionalEntry } from './entries.ts';
import { constantFrame } from './frame.ts';
import type { Evaluator } from './frame.ts';
import { charged } from './planning.ts';
import type { Planning } from './planning.ts';

/** `[a, ?b]`. */
export function planList(planning: Planning, list: ListExpression): Evaluator {
  const elements = list.elements.map((part) => planning.plan(part));
  const optional = new Set(list.optionalIndices);
  const folded = optional.size === 0 ? planning.constantValues(elements) : undefined;
  if (folded !== undefined) return planning.constantly(celList(folded));
  return (frame) => {
    const values: CelValue[] = [];
    for (const [index, evaluate] of elements.entries()) {
      const value = evaluate(frame);
      if (isError(value)) return charged(frame, creationCosts.list, value);
      if (!optional.has(index)) {
        values.push(value);
      } else if (!isOptional(value)) {
        const text = formatValue(value);
        return celError(`cannot initialize optional list element from non-optional value ${text}`);
      } else if (value.value !== undefined) values.push(value.value);
    }
    return charged(frame, creationCosts.list, celList(values));
  };
}

/** `{k: v, ?k: v}`. */
export function planMap(planning: Planning, map: MapExpression): Evaluator {
  const entries = map.entries.map((entry) => ({
    key: planning.plan(entry.key),
    value: planning.plan(entry.value),
    isOptional: entry.isOptional,
  }));
  const evaluator = createMap(entries);
  const parts = entries.flatMap((entry) => [entry.key, entry.value]);
  const isFolded =
    entries.every((entry) => !entry.isOptional) && planning.constantValues(parts) !== undefined;
  if (!isFolded) return evaluator;
  const result = evaluator(constantFrame());
  return isError(result) ? evaluator : planning.constantly(result);
}

/** An entry of a map literal. */
interface PlannedEntry {
  readonly key: Evaluator;
  readonly value: Evaluator;
  readonly isOptional: boolean;
}

function createMap(entries: readonly PlannedEntry[]): Evaluator {
  return (frame) => {
    const result: (readonly [CelValue, CelValue])[] = [];
    const seen = new Set<unknown>();
    for (const entry of entries) {
      const key = entry.key(frame);
      if (isError(key)) return charged(frame, creationCosts.map, key);
      const value = entry.value(frame);
      if (isError(value)) return charged(frame, creationCosts.map, value);
      const problem = addEntry(result, seen, { key, value, isOptional: entry.isOptional });
      if (problem !== undefined) return problem;
    }
    return charged(frame, creationCosts.map, celMap(result));
  };
}

/** `TypeName{field: value}`. */
export function planStruct(planning: Planning, struct: StructExpression): Evaluator {
  const name = planning.referenceOf(struct)?.name ?? struct.typeName;
  const fields = struct.fields.map((field) => ({ ...field, evaluate: planning.plan(field.value) }));
  const provider = planning.options.declarations.types.find(
    (candidate) => candidate.findType(name) !== undefined,
  );
  return (frame) => {
    const values = new Map<string, CelValue>();
    for (const field of fields) {
      const value = field.evaluate(frame);
      if (isError(value)) return charged(frame, creationCosts.struct, value);
      if (!field.isOptional) values.set(field.name, value);
      else if (!isOptional(value)) return nonOptionalEntry(field.name, value);
      else if (value.value !== undefined) values.set(field.name, value.value);
    }
    const built = provider?.construct?.(name, values) ?? celError(`unknown type: ${name}`);
    return charged(frame, creationCosts.struct, built);
  };
}
