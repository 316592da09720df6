// What calls cost in Kubernetes: estimates before, counts after. It covers the libraries of
// Kubernetes and, by the same names, the string functions of the language's extension library.
//
// COMPAT: the numbers decide which rules a definition may have, so every quirk is kept, such as that
// `join` estimates half of what it counts.

import type {
  CallContext,
  CallCost,
  CallEstimate,
  CallEstimator,
  CostEstimate,
  EstimatedNode,
  SizeEstimate,
} from '../../cost/cost.ts';
import { codePointCount } from '../../values/code-points.ts';
import { elementsOf } from '../../values/list.ts';
import { entriesOf } from '../../values/map.ts';
import { isList, isMap, type CelResult, type CelValue } from '../../values/value.ts';
import { cidrValue, formatValue, ipValue } from '../types.ts';

const stringFactor = 0.1;
const patternFactor = 0.25;
const authorizationCheck = 350_000;
/** Lists cost 10 and structs 40 to create; a selector's requirement has one of each. */
const requirement = 50;
const requirementsPerCharacter = 0.5;
const listCreation = 10;
const costMax = 2 ** 64;
/** The longest expression that a format stands for, in estimates. */
const formatPatternLength = 128;
const formatSize = 64;

const oneCost = { min: 1, max: 1 };

const words = (text: string) => text.trim().split(/\s+/);

/** Functions that cost the same whatever their arguments. */
const constantCosts: ReadonlyMap<string, number> = new Map([
  ['check', authorizationCheck],
  ...words(`
    serviceAccount path group resource subresource namespace name allowed reason error errored
    masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast
    isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan
    isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort
    getEscapedPath getQuery
  `).map((name) => [name, 1] as const),
]);

/** How often the first argument is read. */
const traversals: ReadonlyMap<string, number> = new Map([
  ...words(`
    url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR quantity
    isQuantity semver isSemver
  `).map((name) => [name, 1] as const),
  ['replace', 2],
  ['split', 2],
  ['ip.isCanonical', 2],
]);

const listFunctions: ReadonlySet<string> = new Set([
  'isSorted',
  'sum',
  'max',
  'min',
  'indexOf',
  'lastIndexOf',
]);

/** Functions whose cost depends on more than the length of the first argument. */
const otherFunctions: ReadonlySet<string> = new Set(
  words('ip join find findAll fieldSelector labelSelector validate containsIP containsCIDR'),
);

/** Whether `countKubernetesCall` knows a function. */
export function countsKubernetesCall(name: string): boolean {
  return (
    constantCosts.has(name) ||
    listFunctions.has(name) ||
    traversals.has(name) ||
    otherFunctions.has(name)
  );
}

/** Counts a call that ran. */
export const countKubernetesCall: CallCost = (call) => {
  const constant = constantCosts.get(call.function);
  if (constant !== undefined) return constant;
  const [first, second] = call.arguments;
  if (first === undefined) return undefined;
  if (listFunctions.has(call.function)) return traversalCost(first);
  const times = traversals.get(call.function);
  if (times !== undefined) return Math.ceil(actualSize(first) * times * stringFactor);
  switch (call.function) {
    case 'ip':
      return call.overloadId === 'cidr_ip' ? 1 : Math.ceil(actualSize(first) * stringFactor);
    case 'join':
      return Math.ceil(actualSize(call.result) * 2 * stringFactor);
    case 'find':
    case 'findAll':
      return second === undefined ? undefined : matchCost(actualSize(first), actualSize(second));
    case 'fieldSelector':
    case 'labelSelector':
      return second === undefined ? undefined : selectorCost(actualSize(second));
    case 'validate':
      if (second === undefined || !formatValue.is(first)) return undefined;
      return matchCost(actualSize(second), first.held.patternLength);
    case 'containsIP':
    case 'containsCIDR':
      return second === undefined ? undefined : containsCost(call, first, second);
    default:
      return undefined;
  }
};

function matchCost(length: number, patternLength: number): number {
  return Math.ceil((1 + length) * stringFactor) * Math.ceil(patternLength * patternFactor);
}

function selectorCost(length: number): number {
  const requirements = Math.ceil(length * requirementsPerCharacter);
  return listCreation + Math.ceil(length * stringFactor) + requirements * requirement;
}

function containsCost(
  call: { readonly function: string; readonly overloadId: string },
  network: CelValue,
  other: CelValue,
): number {
  const size = actualSize(network);
  let cost = Math.ceil(2 * size * stringFactor);
  if (call.function === 'containsCIDR') cost += Math.ceil(size * stringFactor) + 1;
  if (typeof other === 'string') cost += Math.ceil(actualSize(other) * stringFactor);
  return cost;
}

function actualSize(value: CelResult): number {
  if (typeof value === 'string') return codePointCount(value);
  if (value instanceof Uint8Array) return value.length;
  if (isList(value) || isMap(value)) return value.size;
  if (typeof value !== 'object' || value === null || value.kind === 'error') return 1;
  if (cidrValue.is(value)) return Math.ceil(value.held.prefixLength / 8);
  if (ipValue.is(value)) return value.held.family === 4 ? 4 : 16;
  return 1;
}

const encoder = new TextEncoder();

function traversalCost(value: CelValue): number {
  if (typeof value === 'string') {
    return Math.floor(encoder.encode(value).length * stringFactor);
  }
  if (value instanceof Uint8Array) return Math.floor(value.length * stringFactor);
  let cost = 0;
  if (isList(value)) {
    for (const element of elementsOf(value)) cost += traversalCost(element);
    return cost;
  }
  if (!isMap(value)) return 1;
  for (const [key, inner] of entriesOf(value)) cost += traversalCost(key) + traversalCost(inner);
  return cost;
}

/** Estimates a call; undefined where the language's own estimate holds. */
export const estimateKubernetesCall: CallEstimator = (call) => {
  const constant = constantCosts.get(call.function);
  if (constant !== undefined) return { cost: { min: constant, max: constant } };
  if (call.function === '_==_') return estimateEquality(call);
  return call.target === undefined ? estimateGlobal(call) : estimateMember(call, call.target);
};

/** Functions that read a text. Of some the result is as long as the text. */
function estimateGlobal(call: CallContext): CallEstimate | undefined {
  const [first] = call.arguments;
  const times = call.function === 'ip' ? 1 : traversals.get(call.function);
  if (first === undefined || times === undefined) return undefined;
  const size = call.sizeOf(first);
  const cost = scaled(size, times * stringFactor);
  const keepsSize = call.function === 'url' || call.function === 'jsonpatch.escapeKey';
  return keepsSize ? { cost, resultSize: size } : { cost };
}

function estimateMember(call: CallContext, target: EstimatedNode): CallEstimate | undefined {
  const [first] = call.arguments;
  if (listFunctions.has(call.function)) return { cost: estimateListCall(call, target) };
  const size = call.sizeOf(target);
  switch (call.function) {
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return { cost: scaled(size, stringFactor), resultSize: size };
    case 'replace':
      return estimateReplace(call, size);
    case 'split':
      return {
        cost: scaled(size, 2 * stringFactor),
        resultSize: { min: 0, max: splitMax(call) ?? size.max },
      };
    case 'join':
      return estimateJoin(call, target);
    case 'ip':
      return { cost: oneCost };
    default:
      return first === undefined ? undefined : estimateMemberOf(call, size, first);
  }
}

function estimateMemberOf(
  call: CallContext,
  size: SizeEstimate,
  first: EstimatedNode,
): CallEstimate | undefined {
  const other = call.sizeOf(first);
  switch (call.function) {
    case 'find':
    case 'findAll': {
      const text = scaled(sum(size, oneCost), stringFactor);
      const cost = product(text, scaled(other, patternFactor));
      return { cost, resultSize: { min: 0, max: size.max } };
    }
    case 'fieldSelector':
    case 'labelSelector': {
      const requirements = scaled(scaled(other, requirementsPerCharacter), requirement);
      const parsing = scaled(other, stringFactor);
      const creation = { min: listCreation, max: listCreation };
      return { cost: sum(sum(creation, parsing), requirements) };
    }
    case 'validate': {
      const factor = formatPatternLength * patternFactor;
      return { cost: scaled(scaled(other, stringFactor), factor) };
    }
    case 'containsIP':
    case 'containsCIDR':
      return { cost: estimateContains(call, other) };
    default:
      return undefined;
  }
}

function estimateContains(call: CallContext, other: SizeEstimate): CostEstimate {
  const address = { min: 4, max: 16 };
  let cost = scaled(sum(address, address), stringFactor);
  if (call.function === 'containsCIDR') {
    cost = sum(sum(cost, scaled(address, stringFactor)), oneCost);
  }
  const takesText = /_(ip|cidr)_string$/.test(call.overloadId);
  return takesText ? sum(cost, scaled(other, stringFactor)) : cost;
}

/** One per element; elements that are texts are read besides. */
function estimateListCall(call: CallContext, target: EstimatedNode): CostEstimate {
  const size = call.sizeOf(target);
  const element = elementNode(target);
  if (element === undefined) return scaled(size, stringFactor);
  const { kind } = element.type;
  if (kind !== 'string' && kind !== 'bytes') return size;
  return product(size, sum(oneCost, scaled(call.sizeOf(element), stringFactor)));
}

function elementNode(list: EstimatedNode): EstimatedNode | undefined {
  const [type] = list.type.parameters;
  if (type === undefined) return undefined;
  const path = list.path === undefined ? undefined : [...list.path, '@items'];
  return { path, type, expression: list.expression, computedSize: undefined };
}

function splitMax(call: CallContext): number | undefined {
  const expression = call.arguments[1]?.expression;
  if (expression?.kind !== 'constant' || typeof expression.value !== 'bigint') return undefined;
  return Number(BigInt.asUintN(64, expression.value));
}

function estimateJoin(call: CallContext, target: EstimatedNode): CallEstimate {
  const count = call.sizeOf(target);
  const element = elementNode(target);
  let size = element === undefined ? { min: 0, max: 0 } : product(count, call.sizeOf(element));
  const [separator] = call.arguments;
  if (separator !== undefined) {
    const gaps = { min: Math.max(count.min - 1, 0), max: Math.max(count.max - 1, 0) };
    size = sum(size, product(call.sizeOf(separator), gaps));
  }
  return { cost: scaled(size, stringFactor), resultSize: size };
}

function estimateReplace(call: CallContext, size: SizeEstimate): CallEstimate | undefined {
  const [search, replacement] = call.arguments;
  if (search === undefined || replacement === undefined) return undefined;
  const [from, to] = [call.sizeOf(search), call.sizeOf(replacement)];
  const longest = replaceLimit({
    size: size.max,
    from: from.min,
    to: to.max,
    grows: to.max > from.min,
  });
  const shortest = replaceLimit({
    size: size.min,
    from: from.max,
    to: to.min,
    grows: from.max > to.min,
  });
  return {
    cost: scaled(size, 2 * stringFactor),
    resultSize: { min: shortest, max: longest },
  };
}

interface Replacing {
  readonly size: number;
  readonly from: number;
  readonly to: number;
  /** Whether replacing moves the length towards the limit that is looked for. */
  readonly grows: boolean;
}

/** Nothing is found everywhere: between all characters and at both ends. */
function replaceLimit({ size, from, to, grows }: Replacing): number {
  if (from === 0) return limited(size + (size + 1) * to);
  return grows ? limited(Math.ceil(size / from) * to) : size;
}

function estimateEquality(call: CallContext): CallEstimate | undefined {
  const [left, right] = call.arguments;
  if (left === undefined || right === undefined || left.type.name !== right.type.name) {
    return undefined;
  }
  switch (left.type.name) {
    case 'net.IP':
    case 'net.CIDR':
    case 'kubernetes.Quantity':
    case 'kubernetes.Semver':
    case 'kubernetes.authorization.Authorizer':
    case 'kubernetes.authorization.PathCheck':
    case 'kubernetes.authorization.GroupCheck':
    case 'kubernetes.authorization.ResourceCheck':
    case 'kubernetes.authorization.Decision':
      return { cost: oneCost };
    case 'kubernetes.NamedFormat':
      return { cost: scaled({ min: 1, max: formatSize }, stringFactor) };
    case 'kubernetes.URL':
      return { cost: scaled({ min: 1, max: right.computedSize?.max ?? 1 }, stringFactor) };
    default:
      return undefined;
  }
}

function limited(cost: number): number {
  return Math.min(cost, costMax);
}

function sum(a: CostEstimate, b: CostEstimate): CostEstimate {
  return { min: limited(a.min + b.min), max: limited(a.max + b.max) };
}

function product(a: CostEstimate, b: CostEstimate): CostEstimate {
  return { min: limited(a.min * b.min), max: limited(a.max * b.max) };
}

function scaled(estimate: CostEstimate, factor: number): CostEstimate {
  return {
    min: limited(Math.ceil(estimate.min * factor)),
    max: limited(Math.ceil(estimate.max * factor)),
  };
}
