// References to fields and resources of the pod itself, for environment variables and volumes.

import { canonicalQuantity, fieldError, parseQuantity, signOf } from '@keelson/apimachinery';
import type {
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, required, type Errors } from '../../validation/checks.ts';
import { qualifiedName } from '../../validation/names.ts';

export const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const volumeFieldPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
/** Labels that the reference may use at all; which of them depends on where it stands. */
const knownFieldPaths = new Set([
  ...envFieldPaths,
  ...volumeFieldPaths,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

export function objectField(
  errors: Errors,
  path: string,
  ref: ObjectFieldSelector,
  supported: readonly string[],
): void {
  if (!required(errors, `${path}.apiVersion`, ref.apiVersion)) return;
  if (!required(errors, `${path}.fieldPath`, ref.fieldPath)) return;
  const problem = conversionProblem(ref);
  if (problem !== undefined) {
    const why = `error converting fieldPath: ${problem}`;
    errors.push(fieldError.invalid(`${path}.fieldPath`, ref.fieldPath, why));
    return;
  }
  const { field, subscript } = splitSubscript(canonicalField(ref.fieldPath));
  if (subscript === undefined) {
    if (supported.includes(field)) return;
    errors.push(fieldError.notSupported(`${path}.fieldPath`, field, supported));
  } else if (field === 'metadata.annotations') {
    const key = subscript.toLowerCase();
    conforms(errors, path, key, qualifiedName);
  } else if (field === 'metadata.labels') {
    conforms(errors, path, subscript, qualifiedName);
  } else {
    errors.push(fieldError.invalid(path, field, 'does not support subscript'));
  }
}

/** What ConvertDownwardAPIFieldLabel says of a reference that it does not know. */
function conversionProblem(ref: ObjectFieldSelector): string | undefined {
  if (ref.apiVersion !== 'v1') return `unsupported pod version: ${ref.apiVersion}`;
  const { field, subscript } = splitSubscript(ref.fieldPath);
  if (subscript !== undefined) {
    const isMap = field === 'metadata.annotations' || field === 'metadata.labels';
    return isMap ? undefined : `field label does not support subscript: ${ref.fieldPath}`;
  }
  const known = knownFieldPaths.has(field) || field === 'spec.host';
  return known ? undefined : `field label not supported: ${ref.fieldPath}`;
}

/** `spec.host` is an old name of `spec.nodeName`. */
const canonicalField = (field: string) => (field === 'spec.host' ? 'spec.nodeName' : field);

/** `metadata.labels['a/b']` in its two parts. */
function splitSubscript(fieldPath: string): { field: string; subscript?: string } {
  const start = fieldPath.indexOf("['");
  if (!fieldPath.endsWith("']") || start <= 0) return { field: fieldPath };
  return { field: fieldPath.slice(0, start), subscript: fieldPath.slice(start + 2, -2) };
}

const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const byteDivisors = [
  '1',
  '1k',
  '1M',
  '1G',
  '1T',
  '1P',
  '1E',
  '1Ki',
  '1Mi',
  '1Gi',
  '1Ti',
  '1Pi',
  '1Ei',
];

export function containerResource(
  errors: Errors,
  path: string,
  ref: ResourceFieldSelector,
  { needsContainer }: { readonly needsContainer: boolean },
): void {
  if (needsContainer && !ref.containerName) {
    errors.push(fieldError.required(`${path}.containerName`));
  } else if (required(errors, `${path}.resource`, ref.resource)) {
    const isHugePages = /^(requests|limits)\.hugepages-/.test(ref.resource);
    if (!isHugePages && !resourceFields.includes(ref.resource)) {
      errors.push(fieldError.notSupported(`${path}.resource`, ref.resource, resourceFields));
    }
  }
  divisor(errors, `${path}.divisor`, ref);
}

function divisor(errors: Errors, path: string, ref: ResourceFieldSelector): void {
  const text = ref.divisor === undefined ? '0' : canonicalQuantity(ref.divisor);
  if (signOf(parseQuantity(text)) === 0) return;
  const name = ref.resource.replace(/^(requests|limits)\./, '');
  if (name === ref.resource) return;
  if (name === 'cpu') {
    if (text === '1m' || text === '1') return;
    const why = "only divisor's values 1m and 1 are supported with the cpu resource";
    errors.push(fieldError.invalid(path, ref.resource, why));
    return;
  }
  const kind = name.startsWith('hugepages-')
    ? 'hugepages'
    : { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' }[name];
  if (kind === undefined || byteDivisors.includes(text)) return;
  const why = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${kind} resource`;
  errors.push(fieldError.invalid(path, ref.resource, why));
}
