// Requests for devices, as claims and templates of claims hold them.

import { fieldError } from '@keelson/apimachinery';
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { notLongerThan, oneOf, required, type Errors } from '../validation/checks.ts';
import {
  expressionErrors,
  type ExpressionChecker,
  type ExpressionSession,
} from '../validation/expression-checker.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../validation/names.ts';
import { driverName, fullyQualifiedDeviceName } from './device-names.ts';
import {
  configsMax,
  constraintsMax,
  expressionBytesMax,
  parametersBytesMax,
  requestsMax,
  selectorsMax,
  subRequestsMax,
  tolerationsMax,
} from './limits.ts';
import { checkList, checkName } from './lists.ts';

/** One device each, unless the request says otherwise. */
export function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const request of claim?.requests ?? []) {
    for (const part of [request.exactly, ...(request.firstAvailable ?? [])]) {
      if (part) defaultRequest(part);
    }
  }
}

function defaultRequest(request: ExactDeviceRequest | DeviceSubRequest): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
  for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal';
}

/** Names of requests and of the alternatives within them. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf(claim: DeviceClaim | undefined): RequestNames {
  const names = new Map<string, ReadonlySet<string>>();
  for (const { name, firstAvailable } of claim?.requests ?? []) {
    names.set(name, new Set((firstAvailable ?? []).map((sub) => sub.name)));
  }
  return names;
}

const requestSentence =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** `request`, or `request/subrequest`. */
export function requestReference(
  errors: Errors,
  path: string,
  name: string,
  names: RequestNames,
): void {
  const segments = name.split('/');
  if (segments.length > 2) {
    errors.push(fieldError.invalid(path, name, requestSentence));
    return;
  }
  for (const segment of segments) checkName(errors, path, segment, dns1123Label);
  const [request = '', subRequest] = segments;
  const known = names.get(request);
  if (!known || (subRequest !== undefined && !known.has(subRequest))) {
    errors.push(fieldError.invalid(path, name, requestSentence));
  }
}

export function validateDeviceClaim(
  errors: Errors,
  path: string,
  claim: DeviceClaim | undefined,
  checker: ExpressionChecker,
): void {
  const names = requestNamesOf(claim);
  const session = checker.begin({ hasParams: false });
  checkList(errors, claim?.requests, {
    path: `${path}.requests`,
    itemsMax: requestsMax,
    check: (request, at) => validateRequest(errors, at, request, session),
    key: (request) => request.name,
  });
  checkList(errors, claim?.constraints, {
    path: `${path}.constraints`,
    itemsMax: constraintsMax,
    check: (constraint, at) => validateConstraint(errors, at, constraint, names),
  });
  checkList(errors, claim?.config, {
    path: `${path}.config`,
    itemsMax: configsMax,
    check(config, at) {
      requestReferences(errors, `${at}.requests`, config.requests, names);
      validateOpaque(errors, `${at}.opaque`, config.opaque);
    },
  });
}

export function requestReferences(
  errors: Errors,
  path: string,
  list: readonly string[] | undefined,
  names: RequestNames,
): void {
  checkList(errors, list, {
    path,
    itemsMax: requestsMax,
    check: (name, at) => requestReference(errors, at, name, names),
    key: (name) => name,
  });
}

const unionSentence = 'exactly one of `exactly` or `firstAvailable` is required';

function validateRequest(
  errors: Errors,
  path: string,
  { name = '', exactly, firstAvailable = [] }: DeviceRequest,
  session: ExpressionSession,
): void {
  checkName(errors, `${path}.name`, name, dns1123Label);
  if (exactly && firstAvailable.length > 0) {
    const why = `${unionSentence}, but multiple fields are set`;
    errors.push(fieldError.invalid(path, null, why));
  } else if (exactly) {
    validateDevices(errors, `${path}.exactly`, exactly, session);
  } else if (firstAvailable.length === 0) {
    errors.push(fieldError.required(path, unionSentence));
  } else {
    checkList(errors, firstAvailable, {
      path: `${path}.firstAvailable`,
      itemsMax: subRequestsMax,
      check(sub, at) {
        checkName(errors, `${at}.name`, sub.name ?? '', dns1123Label);
        validateDevices(errors, at, sub, session);
      },
      key: (sub) => sub.name,
    });
  }
}

type Devices = ExactDeviceRequest | DeviceSubRequest;

/** Which devices, and how many. */
function validateDevices(
  errors: Errors,
  path: string,
  devices: Devices,
  session: ExpressionSession,
): void {
  const { deviceClassName = '', allocationMode = '', count = 0 } = devices;
  const classPath = `${path}.deviceClassName`;
  if (required(errors, classPath, deviceClassName)) {
    checkName(errors, classPath, deviceClassName, dns1123Subdomain);
  }
  validateSelectors(errors, `${path}.selectors`, devices.selectors, session);
  if (allocationMode === 'All') {
    const why = "must not be specified when allocationMode is 'All'";
    if (Number(count) !== 0) errors.push(fieldError.invalid(`${path}.count`, count, why));
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) {
      errors.push(fieldError.invalid(`${path}.count`, count, 'must be greater than zero'));
    }
  } else {
    oneOf(errors, `${path}.allocationMode`, allocationMode, ['All', 'ExactCount']);
  }
  checkList(errors, devices.tolerations, {
    path: `${path}.tolerations`,
    itemsMax: tolerationsMax,
    check: (toleration, at) => validateDeviceToleration(errors, at, toleration),
  });
}

export function validateSelectors(
  errors: Errors,
  path: string,
  selectors: readonly DeviceSelector[] | undefined,
  session: ExpressionSession | undefined,
): void {
  checkList(errors, selectors, {
    path,
    itemsMax: selectorsMax,
    check({ cel }, at) {
      if (!cel) {
        errors.push(fieldError.required(`${at}.cel`));
        return;
      }
      // Without a session the selectors are stored ones, which were valid then.
      if (!session) return;
      const { expression = '' } = cel;
      const expressionPath = `${at}.cel.expression`;
      if (!notLongerThan(errors, expressionPath, expression, expressionBytesMax)) return;
      const problems = session.check({ expression, use: 'device-selector', stored: false });
      expressionErrors(errors, expressionPath, { expression, problems });
    },
  });
}

const taintEffects: readonly string[] = ['NoExecute', 'NoSchedule', 'None'];

export function validateDeviceToleration(
  errors: Errors,
  path: string,
  { key = '', operator = '', value = '', effect = '' }: DeviceToleration,
): void {
  if (key !== '') checkName(errors, `${path}.key`, key, qualifiedName);
  if (operator === 'Exists') {
    const why = 'must be empty for operator `Exists`';
    if (value !== '') errors.push(fieldError.invalid(`${path}.value`, value, why));
  } else if (operator === 'Equal') {
    checkName(errors, `${path}.value`, value, labelValue);
  } else if (required(errors, `${path}.operator`, operator)) {
    oneOf(errors, `${path}.operator`, operator, ['Equal', 'Exists']);
  }
  if (effect !== '') oneOf(errors, `${path}.effect`, effect, taintEffects);
}

function validateConstraint(
  errors: Errors,
  path: string,
  constraint: DeviceConstraint,
  names: RequestNames,
): void {
  requestReferences(errors, `${path}.requests`, constraint.requests, names);
  const { matchAttribute, distinctAttribute } = constraint;
  if (matchAttribute !== undefined) {
    fullyQualifiedDeviceName(errors, `${path}.matchAttribute`, matchAttribute);
  } else if (distinctAttribute !== undefined) {
    fullyQualifiedDeviceName(errors, `${path}.distinctAttribute`, distinctAttribute);
  } else {
    // COMPAT: the sentence speaks of too many where there are none.
    const why =
      'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(fieldError.required(path, why));
  }
}

/** Parameters that only the driver understands: any JSON object, within bounds. */
export function validateOpaque(
  errors: Errors,
  path: string,
  opaque: OpaqueDeviceConfiguration | undefined,
): void {
  if (!opaque) {
    errors.push(fieldError.required(path));
    return;
  }
  driverName(errors, `${path}.driver`, opaque.driver ?? '');
  const { parameters } = opaque;
  const at = `${path}.parameters`;
  if (parameters === undefined || parameters === null) {
    errors.push(fieldError.required(at));
  } else if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    errors.push(fieldError.invalid(at, '<value omitted>', 'must be a valid JSON object'));
  } else {
    const bytes = Buffer.byteLength(
      JSON.stringify(parameters, (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)),
    );
    if (bytes > parametersBytesMax) errors.push(fieldError.tooLong(at, parametersBytesMax));
  }
}
