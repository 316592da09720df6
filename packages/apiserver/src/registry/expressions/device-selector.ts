// Selectors of devices: `device.attributes['dra.example.com'].model == 'a' && cel.bind(…)`. Unlike
// other expressions they must be cheap by estimate.

import {
  bindingsLibrary,
  celTypes,
  formatIssues,
  mapType,
  objectType,
  type Environment,
} from '@keelson/cel';
import {
  costEstimatorOf,
  instantiationProblem,
  kubernetesTypes,
  semverLibrary,
  typeProviderOf,
  type DeclaredType,
  type EnvironmentSet,
} from '@keelson/cel/kubernetes';
import { printedType } from './printed-type.ts';
import type { ExpressionProblem, ExpressionRequest } from '../validation/expression-checker.ts';

const selectorCostMax = 1_000_000;
const attributesMax = 32;
const attributeValueMax = 64;
const domainMax = 63;

const { any, bool, string } = celTypes;

const declared = (type: DeclaredType['type'], elementsMax = 0): DeclaredType => ({
  type,
  serializedSizeMin: 2,
  elementsMax,
});

/** By domain, then by identifier. */
function attributeMap(value: DeclaredType): DeclaredType {
  const inner = mapOf(value);
  return mapOf(inner);
}

function mapOf(element: DeclaredType): DeclaredType {
  return { ...declared(mapType(string, element.type), attributesMax), element };
}

const device: DeclaredType = {
  ...declared(objectType('kubernetes.DRADevice')),
  fields: new Map([
    ['driver', declared(string, domainMax)],
    ['attributes', attributeMap(declared(any, attributeValueMax))],
    ['capacity', attributeMap(declared(kubernetesTypes.quantity))],
    ['allowMultipleAllocations', declared(bool)],
  ]),
};

const types = [typeProviderOf(device)];
const estimator = costEstimatorOf(device);

export function checkDeviceSelector(
  environments: EnvironmentSet,
  { expression, stored }: ExpressionRequest,
): readonly ExpressionProblem[] {
  const base = stored ? environments.storedExpressions : environments.newExpressions;
  const environment: Environment = base.extend({
    variables: { device: device.type },
    types,
    libraries: [semverLibrary, bindingsLibrary],
  });
  const { program, issues } = environment.compile(expression);
  if (program === undefined) {
    const detail = `compilation failed: ${formatIssues(expression, issues)}`;
    return [{ kind: 'invalid', detail }];
  }
  const { resultType } = program;
  if (resultType.kind !== 'bool' && resultType.kind !== 'any') {
    const detail = `must evaluate to bool or the unknown type, not ${printedType(resultType)}`;
    return [{ kind: 'invalid', detail }];
  }
  const problem = instantiationProblem(program);
  if (problem !== undefined) {
    return [{ kind: 'internal', detail: `program instantiation failed: ${problem}` }];
  }
  if (program.estimateCost(estimator).max <= selectorCostMax) return [];
  return [{ kind: 'forbidden', detail: 'too complex, exceeds cost limit' }];
}
