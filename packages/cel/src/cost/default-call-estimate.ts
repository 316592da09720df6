/**
 * What calls of the standard functions cost as far as the tree tells. COMPAT: cel-go's numbers.
 *
 * The logical operators and `?:` are not here: their cost is that of their operands, which the
 * estimator adds up.
 */

import type { CallContext, CallEstimate, EstimatedNode } from './cost.ts';
import { regexLengthFactor, stringTraversalFactor } from './default-call-cost.ts';
import { addRanges, exactly, multiplyRanges, rangeMax, scaleRange } from './range.ts';

type Estimate = (call: CallContext) => CallEstimate | undefined;

const traversal = (size: { min: number; max: number }): CallEstimate['cost'] =>
  scaleRange(size, stringTraversalFactor);

const traverseArgument: Estimate = (call) => {
  const [argument] = call.arguments;
  return argument === undefined ? undefined : { cost: traversal(call.sizeOf(argument)) };
};

const toBytes: Estimate = (call) => {
  const [argument] = call.arguments;
  if (argument === undefined) return undefined;
  const size = call.sizeOf(argument);
  // At most four bytes per character.
  const resultSize = { min: size.min, max: Math.min(size.max * 4, rangeMax) };
  return { cost: traversal(size), resultSize };
};

const toText: Estimate = (call) => {
  const [argument] = call.arguments;
  if (argument === undefined) return undefined;
  const size = call.sizeOf(argument);
  return { cost: traversal(size), resultSize: { min: Math.floor(size.min / 4), max: size.max } };
};

const quote: Estimate = (call) => {
  const [argument] = call.arguments;
  if (argument === undefined) return undefined;
  const size = call.sizeOf(argument);
  // Two quotes, and each character may need a backslash.
  const resultSize = { min: size.min + 2, max: Math.min(size.max * 2 + 2, rangeMax) };
  return { cost: traversal(size), resultSize };
};

const format: Estimate = (call) =>
  call.target === undefined ? undefined : { cost: traversal(call.sizeOf(call.target)) };

const searchList: Estimate = (call) => {
  const list = call.arguments[1];
  return list === undefined ? undefined : { cost: call.sizeOf(list) };
};

const runRegex: Estimate = (call) => {
  const [pattern] = call.arguments;
  if (pattern === undefined || call.target === undefined) return undefined;
  // Plus one, for an empty text does not make the pattern free.
  const text = traversal(addRanges(call.sizeOf(call.target), exactly(1)));
  return { cost: multiplyRanges(text, scaleRange(call.sizeOf(pattern), regexLengthFactor)) };
};

const search: Estimate = (call) => {
  const [part] = call.arguments;
  if (part === undefined || call.target === undefined) return undefined;
  const text = traversal(call.sizeOf(call.target));
  return { cost: multiplyRanges(text, traversal(call.sizeOf(part))) };
};

const twoSizes = (call: CallContext): [EstimatedNode, EstimatedNode] | undefined => {
  const [left, right] = call.arguments;
  return left === undefined || right === undefined ? undefined : [left, right];
};

const concatTexts: Estimate = (call) => {
  const operands = twoSizes(call);
  if (operands === undefined) return undefined;
  const resultSize = addRanges(call.sizeOf(operands[0]), call.sizeOf(operands[1]));
  return { cost: traversal(resultSize), resultSize };
};

const concatLists: Estimate = (call) => {
  const operands = twoSizes(call);
  if (operands === undefined) return undefined;
  const resultSize = addRanges(call.sizeOf(operands[0]), call.sizeOf(operands[1]));
  return { cost: exactly(1), resultSize };
};

const traverseShorter: Estimate = (call) => {
  const operands = twoSizes(call);
  if (operands === undefined) return undefined;
  const [left, right] = operands.map((operand) => call.sizeOf(operand).max);
  const max = Math.min(left ?? rangeMax, right ?? rangeMax);
  return { cost: traversal({ min: max > 0 ? 1 : 0, max }) };
};

const estimates: ReadonlyMap<string, Estimate> = new Map([
  ['starts_with_string', traverseArgument],
  ['ends_with_string', traverseArgument],
  ['string_to_bytes', toBytes],
  ['bytes_to_string', toText],
  ['strings_quote', quote],
  ['string_format', format],
  ['in_list', searchList],
  ['matches_string', runRegex],
  ['contains_string', search],
  ['add_string', concatTexts],
  ['add_bytes', concatTexts],
  ['add_list', concatLists],
  ['equals', traverseShorter],
  ['not_equals', traverseShorter],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((prefix) =>
    ['string', 'bytes'].map((type) => [`${prefix}_${type}`, traverseShorter] as const),
  ),
]);

/** The estimate of a call that nothing else estimates. */
export function estimateDefaultCall(call: CallContext): CallEstimate {
  return estimates.get(call.overloadId)?.(call) ?? { cost: exactly(1) };
}
