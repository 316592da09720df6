// What Kubernetes adds to the Common Expression Language: libraries by release, types and values of
// schemas, and costs.

export {
  deviceSelectorEnvironment,
  deviceSelectorEstimator,
  deviceSelectorValue,
  type DeviceAttributeValue,
  type SelectableDevice,
} from './device-selectors.ts';
export {
  createEnvironmentSet,
  type EnvironmentSet,
  type EnvironmentSetOptions,
  type Release,
} from './environment-set.ts';
export { instantiationProblem } from './instantiation.ts';
export {
  authorizerVariable,
  requestResourceVariable,
  type AuthorizationCheck,
  type AuthorizationOutcome,
  type CheckAuthorizer,
} from './libraries/authorizer.ts';
export { jsonPatchLibrary } from './libraries/json-patch.ts';
export { semverLibrary } from './libraries/semver.ts';
export { objectTypes, type ObjectTypes } from './object-types.ts';
export { declareType, requestBytesMax, type DeclaredType } from './schema/declared-type.ts';
export { escapeProperty, unescapeProperty } from './schema/escaping.ts';
export type { StructuralSchema } from './schema/schema.ts';
export { costEstimatorOf, typeProviderOf } from './schema/schema-environment.ts';
export { schemaValue } from './schema/schema-value.ts';
export { kubernetesTypes, quantityValue, semverValue, type HeldValue } from './types.ts';
export { parseQuantity, type Quantity } from './values/quantity.ts';
export { parseSemanticVersion, type SemanticVersion } from './values/semantic-version.ts';
