// The vocabulary of the API. Everything that other packages may use stands here by name.

export { copyJson, getOwn, isJsonObject, jsonEqual, setOwn } from './json.ts';
export type { JsonArray, JsonObject, JsonScalar, JsonValue } from './json.ts';

export { formatMicroTime, formatTime, sleep, systemClock } from './clock.ts';
export type { CancelTimer, Clock } from './clock.ts';
export { formatIp, networkOf, parseCidr, parseIp } from './ip-address.ts';
export type { IpFamily, ParsedCidr, ParsedIp } from './ip-address.ts';
export { canonicalTime } from './codec/go-time.ts';
export { nextTurn } from './next-turn.ts';
export { createSimulatedClock } from './simulated-clock.ts';
export type { SimulatedClock } from './simulated-clock.ts';
export { createSeededRandom, createUid, randomNameSuffix, systemRandom } from './random.ts';
export type { Random } from './random.ts';
export type {
  ChangedObject,
  ExplainedNode,
  SchedulingChange,
  SchedulingExplanation,
  SchedulingRemedy,
} from './scheduling-explanation.ts';
export { createDecisionTrace, noDecisionTrace } from './decision-trace.ts';
export type {
  DecisionOutcome,
  DecisionStep,
  DecisionTrace,
  DecisionTraceLimits,
} from './decision-trace.ts';

export {
  formatApiVersion,
  formatGroupKind,
  formatGroupResource,
  parseApiVersion,
} from './meta/group-version.ts';
export type {
  GroupKind,
  GroupResource,
  GroupVersion,
  GroupVersionKind,
  GroupVersionResource,
} from './meta/group-version.ts';
export {
  findCondition,
  isConditionTrue,
  transitionTime,
  withCondition,
  withConditionLast,
} from './meta/conditions.ts';
export { asJson, asKubeObject } from './meta/object.ts';
export type {
  KubeList,
  KubeObject,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
} from './meta/object.ts';
export type {
  ResourceDefinition,
  SubresourceDefinition,
  TableColumn,
  Verb,
} from './meta/resource.ts';

export { DecodeError } from './codec/decode-error.ts';
export type { DecodeErrorReason } from './codec/decode-error.ts';
export { cborMediaType, decodeCbor, encodeCbor } from './codec/cbor.ts';
export {
  decodeObject,
  decodeValue,
  parseJson,
  parseJsonObject,
  readTypeMeta,
} from './codec/decode-object.ts';
export type {
  DecodedObject,
  DecodedValue,
  DecodeOptions,
  TypeMeta,
} from './codec/decode-object.ts';
export { fromUnstructured } from './codec/from-unstructured.ts';
export { cloneDecoded, wasGivenEmpty } from './codec/given-empties.ts';
export { encodeJson, encodeJsonText } from './codec/encode-json.ts';
export { encodeYaml } from './codec/encode-yaml.ts';
export {
  decodeProtobuf,
  decodeProtobufMessage,
  encodeProtobuf,
  encodeProtobufEnvelope,
  encodeProtobufList,
  encodeProtobufMessage,
  encodeProtobufWatchEvent,
  protobufMediaType,
  readProtobufEnvelope,
} from './codec/protobuf.ts';
export type { DecodedProtobuf, ProtobufEnvelope } from './codec/protobuf.ts';
export { ProtobufWriter } from './codec/protobuf-writer.ts';
export { decodeYamlObject, parseYaml } from './codec/yaml.ts';
export type { YamlDocument } from './codec/yaml.ts';
export { parseYamlDocuments } from './codec/yaml-documents.ts';
export type { PositionedDocument, YamlPath } from './codec/yaml-documents.ts';

export {
  builtinKinds,
  builtinResources,
  builtinType,
  builtinTypeNames,
  optionalResources,
  typeForKind,
} from './schema/builtin.ts';
export { orderFields } from './schema/field-order.ts';
export { goFieldName } from './schema/go-field-names.ts';
export { configurationList, configurationStruct } from './schema/configuration-types.ts';
export type {
  AnyTypeRef,
  EmbeddedStruct,
  Field,
  ListTypeRef,
  MapTypeRef,
  StructType,
  StructTypeRef,
  TypeRef,
} from './schema/types.ts';

export {
  fieldError,
  omittedValue,
  quoteGo,
  renderFieldError,
  renderFieldErrorBody,
} from './status/field-error.ts';
export type { FieldError, FieldErrorType } from './status/field-error.ts';
export { isStatusError, StatusError, statusErrors } from './status/status.ts';
export type { Status, StatusCause, StatusDetails } from './status/status.ts';

export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  createQuantity,
  formatQuantity,
  multiplyQuantity,
  negateQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityScale,
  quantityToNumber,
  quantityValue,
  roundUpQuantity,
  scaledValue,
  signOf,
  subtractQuantities,
} from './quantity.ts';
export type { Quantity, QuantityFormat } from './quantity.ts';
export {
  addLists,
  exceededNames,
  formatResourceList,
  listsEqual,
  maskList,
  maxLists,
  negativeNames,
  one as oneQuantity,
  readResourceList,
  sortedNames,
  subtractListsToZero,
  withoutZeros,
  writeResourceList,
  zero as zeroQuantity,
} from './resources/resource-list.ts';
export type { ResourceList } from './resources/resource-list.ts';
export {
  hasPodLevelResources,
  isBestEffort,
  isRestartableInitContainer,
  podLimits,
  podRequests,
} from './resources/pod-resources.ts';
export type { PodResourceOptions } from './resources/pod-resources.ts';
export {
  defaultPullPolicy,
  imageReferenceProblem,
  parseImageReference,
} from './resources/image-reference.ts';
export {
  deviceClassPrefix,
  isExtendedRequest,
  isExtendedResource,
  isNativeResource,
} from './resources/resource-names.ts';
export {
  canonicalGoDuration,
  DurationError,
  formatGoDuration,
  formatHumanDuration,
  formatShortHumanDuration,
  parseGoDuration,
} from './go-duration.ts';

export { CronError, parseSchedule } from './cron/parse-schedule.ts';
export { createCronSchedule } from './cron/next-run.ts';
export type { CronSchedule } from './cron/next-run.ts';
export { formatZonedTime } from './cron/zoned-time.ts';
export { timeZoneProblem } from './cron/time-zones.ts';
export { compareGoStrings } from './go-string.ts';
export {
  createLabelRequirement,
  labelRequirementErrors,
  SelectorError,
} from './selectors/label-requirement.ts';
export type { LabelOperator, LabelRequirement, Labels } from './selectors/label-requirement.ts';
export {
  compileLabelSelector,
  createLabelMatcher,
  everyLabelMatcher,
  formatLabelSelector,
  labelMatcherFromSet,
  noLabelMatcher,
  parseLabelSelector,
  validateLabelSelector,
} from './selectors/label-selector.ts';
export { formatGoLabelSelector } from './selectors/go-label-selector.ts';
export type {
  LabelMatcher,
  LabelSelector,
  LabelSelectorRequirement,
} from './selectors/label-selector.ts';
export {
  labelValueProblems,
  qualifiedNameProblems,
  subdomainProblems,
} from './selectors/label-syntax.ts';
export {
  createFieldMatcher,
  escapeFieldValue,
  everyFieldMatcher,
  mapFields,
  parseFieldSelector,
  unescapeFieldValue,
} from './selectors/field-selector.ts';
export type { FieldMatcher, FieldRequirement } from './selectors/field-selector.ts';

export { applyJsonPatch, jsonPatchLimits } from './patch/json-patch.ts';
export { jsonKind } from './patch/merge-patch.ts';
export type { JsonPatchLimits } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
export { PatchError, patchErrorStatus } from './patch/patch-error.ts';
export type { PatchErrorKind } from './patch/patch-error.ts';
export { applyStrategicMergePatch } from './patch/strategic-merge-patch.ts';
export { dumpGoStruct } from './go-dump.ts';
export { formatGoFloat, formatGoValue, goKind, goTypeName } from './go-value.ts';
export type { GoKind } from './go-value.ts';

export { createFieldManager } from './field-management/field-manager.ts';
export { anyElement } from './field-management/field-filter.ts';
export type { FieldPaths } from './field-management/field-filter.ts';
export type {
  ApplyContext,
  FieldManager,
  FieldManagerContext,
  FieldManagerOptions,
  FieldVersions,
} from './field-management/field-manager.ts';
export {
  mergeConfiguration,
  MergeConfigurationError,
} from './field-management/merge-configuration.ts';
export { keepTimesIfUnchanged } from './field-management/timestamps.ts';

export { aggregateRules, aggregationSelectorsOf, equalRules } from './rbac/role-aggregation.ts';
export type { AggregatedRule } from './rbac/role-aggregation.ts';
