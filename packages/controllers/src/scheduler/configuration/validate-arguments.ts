// The rules for the arguments of plugins, by plugin. COMPAT: texts and order are kube-scheduler's.

import { fieldError, qualifiedNameProblems, type FieldError } from '@keelson/apimachinery';
import type { TopologySpreadConstraint } from '@keelson/apimachinery/types/core.v1';
import {
  millisecondsOf,
  type DecodedArguments,
  type DecodedPoint,
  type DecodedResource,
} from './plugin-arguments.ts';
import { addedAffinityErrors } from './validate-added-affinity.ts';

type Rule = (args: DecodedArguments, isEnabled: (gate: string) => boolean) => FieldError[];

export function validateArguments(
  plugin: string,
  args: DecodedArguments,
  isEnabled: (gate: string) => boolean,
): FieldError[] {
  return rules[plugin]?.(args, isEnabled) ?? [];
}

const rules: Readonly<Record<string, Rule>> = {
  DefaultPreemption: ({
    minCandidateNodesPercentage: percentage = 10,
    minCandidateNodesAbsolute: absolute = 100,
  }) => {
    const [percentagePath, absolutePath] = [
      'minCandidateNodesPercentage',
      'minCandidateNodesAbsolute',
    ];
    const errors = inRange(percentagePath, percentage, [0, 100]);
    if (absolute < 0)
      errors.push(fieldError.invalid(absolutePath, absolute, 'not in valid range [0, inf)'));
    if (percentage === 0 && absolute === 0) {
      const why = (other: string) => `cannot be zero at the same time as ${other}`;
      errors.push(
        fieldError.invalid(percentagePath, percentage, why(absolutePath)),
        fieldError.invalid(absolutePath, absolute, why(percentagePath)),
      );
    }
    return errors;
  },
  DynamicResources: validateTimeouts,
  InterPodAffinity: ({ hardPodAffinityWeight = 1 }) =>
    inRange('hardPodAffinityWeight', hardPodAffinityWeight, [0, 100]),
  NodeAffinity: ({ addedAffinity = {} }) => addedAffinityErrors(addedAffinity),
  NodeResourcesBalancedAllocation: ({ resources = [] }) =>
    resources.flatMap(({ name = '', weight = 1 }, i) => [
      ...(resources.findIndex((other) => other.name === name) < i
        ? [fieldError.duplicate(`resources[${i}].name`, name)]
        : []),
      ...(Number(weight) === 1
        ? []
        : [fieldError.invalid(`resources[${i}].weight`, weight, 'must be 1')]),
    ]),
  NodeResourcesFit: validateFit,
  PodTopologySpread: validateSpread,
  VolumeBinding: ({ bindTimeoutSeconds = 600, shape }) => {
    const errors: FieldError[] = [];
    if (bindTimeoutSeconds < 0) {
      const why = 'invalid BindTimeoutSeconds, should not be a negative value';
      errors.push(fieldError.invalid('bindTimeoutSeconds', bindTimeoutSeconds, why));
    }
    if (shape !== undefined) {
      const why =
        'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring';
      errors.push(fieldError.invalid('shape', shape, why));
    }
    return errors;
  },
};

function inRange(path: string, value: number, [min, max]: readonly [number, number]): FieldError[] {
  if (value >= min && value <= max) return [];
  return [fieldError.invalid(path, value, `not in valid range [${min}, ${max}]`)];
}

function labelName(path: string, value: string): FieldError[] {
  return qualifiedNameProblems(value).map((why) => fieldError.invalid(path, value, why));
}

function validateTimeouts(
  { filterTimeout, bindingTimeout }: DecodedArguments,
  isEnabled: (gate: string) => boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (filterTimeout !== undefined && !isEnabled('DRASchedulerFilterTimeout')) {
    const why = 'DRASchedulingFilterTimeout feature gate is disabled';
    errors.push(fieldError.forbidden('filterTimeout', why));
  } else if (millisecondsOf(filterTimeout, 0) < 0)
    errors.push(fieldError.invalid('filterTimeout', filterTimeout, 'must be zero or positive'));
  const hasBinding =
    isEnabled('DRADeviceBindingConditions') && isEnabled('DRAResourceClaimDeviceStatus');
  if (bindingTimeout === undefined) return errors;
  if (!hasBinding) {
    const why =
      'DRADeviceBindingConditions or DRAResourceClaimDeviceStatus feature gate is disabled';
    errors.push(fieldError.forbidden('bindingTimeout', why));
  } else if (millisecondsOf(bindingTimeout, 0) < 1_000)
    errors.push(fieldError.invalid('bindingTimeout', bindingTimeout, 'must be at least 1 second'));
  return errors;
}

const strategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'];

function validateFit({
  ignoredResources = [],
  ignoredResourceGroups = [],
  scoringStrategy,
}: DecodedArguments): FieldError[] {
  const errors = ignoredResources.flatMap((name, i) => labelName(`ignoredResources[${i}]`, name));
  for (const [i, group] of ignoredResourceGroups.entries()) {
    const path = `ignoredResourceGroups[${i}]`;
    if (group.includes('/'))
      errors.push(fieldError.invalid(path, group, "resource group name can't contain '/'"));
    errors.push(...labelName(path, group));
  }
  if (scoringStrategy === undefined) return errors;
  const { type = 'LeastAllocated', resources = [], requestedToCapacityRatio } = scoringStrategy;
  if (!strategies.includes(type))
    errors.push(fieldError.notSupported('scoringStrategy.type', type, strategies));
  errors.push(...validateResources(resources));
  const shape = requestedToCapacityRatio?.shape ?? [];
  const needsShape = requestedToCapacityRatio !== undefined || type === 'RequestedToCapacityRatio';
  if (needsShape) errors.push(...validateShape(shape));
  return errors;
}

function validateResources(resources: readonly DecodedResource[]): FieldError[] {
  return resources.flatMap(({ name = '', weight = 1 }, i) => {
    if (weight > 0 && weight <= 100) return [];
    const why = `resource weight of ${name} not in valid range (0, 100]`;
    return [fieldError.invalid(`scoringStrategy.resources[${i}].weight`, weight, why)];
  });
}

function validateShape(shape: readonly DecodedPoint[]): FieldError[] {
  const path = 'scoringStrategy.shape';
  if (shape.length === 0)
    return [fieldError.required(path, 'at least one point must be specified')];
  const errors: FieldError[] = [];
  const falls = shape.findIndex(
    ({ utilization = 0 }, i) => i > 0 && utilization <= (shape[i - 1]?.utilization ?? 0),
  );
  if (falls >= 0) {
    const why = 'values must be sorted in increasing order';
    errors.push(
      fieldError.invalid(`${path}[${falls}].utilization`, shape[falls]?.utilization ?? 0, why),
    );
  }
  for (const [i, { utilization = 0, score = 0 }] of shape.entries())
    errors.push(
      ...inRange(`${path}[${i}].utilization`, utilization, [0, 100]),
      ...inRange(`${path}[${i}].score`, score, [0, 10]),
    );
  return errors;
}

const actions = ['DoNotSchedule', 'ScheduleAnyway'];

function validateSpread({
  defaultConstraints = [],
  defaultingType = 'System',
}: DecodedArguments): FieldError[] {
  const errors: FieldError[] = [];
  if (!['System', 'List'].includes(defaultingType))
    errors.push(fieldError.notSupported('defaultingType', defaultingType, ['System', 'List']));
  else if (defaultingType === 'System' && defaultConstraints.length > 0) {
    const why = 'when .defaultConstraints are not empty';
    errors.push(fieldError.invalid('defaultingType', defaultingType, why));
  }
  for (const [i, constraint] of defaultConstraints.entries())
    errors.push(...validateDefault(constraint, i, defaultConstraints));
  return errors;
}

function validateDefault(
  { maxSkew, topologyKey, whenUnsatisfiable, labelSelector }: TopologySpreadConstraint,
  i: number,
  all: readonly TopologySpreadConstraint[],
): FieldError[] {
  const path = `defaultConstraints[${i}]`;
  const errors: FieldError[] = [];
  const empty = (value: string | undefined) => value === undefined || value === '';
  if (!(Number(maxSkew) > 0))
    errors.push(fieldError.invalid(`${path}.maxSkew`, maxSkew ?? 0, 'not in valid range (0, inf)'));
  if (empty(topologyKey))
    errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'));
  else errors.push(...labelName(`${path}.topologyKey`, topologyKey));
  const actionPath = `${path}.whenUnsatisfiable`;
  if (empty(whenUnsatisfiable)) errors.push(fieldError.required(actionPath, 'can not be empty'));
  else if (!actions.includes(whenUnsatisfiable))
    errors.push(fieldError.notSupported(actionPath, whenUnsatisfiable, actions));
  if (labelSelector !== undefined) {
    const why = 'constraint must not define a selector, as they deduced for each pod';
    errors.push(fieldError.forbidden(`${path}.labelSelector`, why));
  }
  const isRepeated = all
    .slice(0, i)
    .some(
      (other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable,
    );
  if (isRepeated) errors.push(fieldError.duplicate(path, `{${topologyKey}, ${whenUnsatisfiable}}`));
  return errors;
}
