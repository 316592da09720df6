// What the configuration files of single plugins say. Each function takes the decoded file, or
// undefined when there is none, and throws AdmissionConfigurationError when it cannot be used.
// (PodSecurity reads its own, in @keelson/pod-security.)

import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import { fieldError, renderFieldError, type FieldError } from '@keelson/apimachinery';
import {
  AdmissionConfigurationError,
  checkKind,
  readFields,
  readInteger,
  readList,
  readText,
  readTexts,
  refuseOtherFields,
} from './configuration-reader.ts';
import {
  eventLimitTypes,
  type EventLimit,
  type EventRateLimitConfiguration,
} from './plugins/event-rate-limit.ts';
import type { PodNodeSelectorConfiguration } from './plugins/pod-node-selector.ts';
import type { PodTolerationRestrictionConfiguration } from './plugins/pod-toleration-restriction.ts';
import type { LimitedResource } from './plugins/resource-quota/check-request.ts';
import type { QuotaScope } from './plugins/resource-quota/evaluator.ts';

/** `ResourceQuotaConfiguration`: what needs a quota to be consumed at all. */
export function parseLimitedResources(document: unknown): LimitedResource[] {
  if (document === undefined) return [];
  const fields = readFields(document, '');
  const isOld = readText(fields.get('kind'), 'kind') === 'Configuration';
  if (isOld)
    checkKind(fields, 'Configuration', [
      'resourcequota.admission.k8s.io/v1beta1',
      'resourcequota.admission.k8s.io/v1alpha1',
    ]);
  else checkKind(fields, 'ResourceQuotaConfiguration', ['apiserver.config.k8s.io/v1']);
  refuseOtherFields(fields, ['kind', 'apiVersion', 'limitedResources']);
  return readList(fields.get('limitedResources'), 'limitedResources').map((item, i) => {
    const path = `limitedResources[${i}]`;
    const limited = readFields(item, path);
    const known = ['apiGroup', 'resource', 'matchContains', 'matchScopes'];
    refuseOtherFields(limited, known, `${path}.`);
    const resource = readText(limited.get('resource'), `${path}.resource`);
    if (resource === '') refuse([fieldError.required(`${path}.resource`)]);
    return {
      apiGroup: readText(limited.get('apiGroup'), `${path}.apiGroup`),
      resource,
      matchContains: readTexts(limited.get('matchContains'), `${path}.matchContains`),
      matchScopes: readList(limited.get('matchScopes'), `${path}.matchScopes`).map((scope, j) =>
        readScope(scope, `${path}.matchScopes[${j}]`),
      ),
    };
  });
}

function readScope(item: unknown, path: string): QuotaScope {
  const fields = readFields(item, path);
  refuseOtherFields(fields, ['scopeName', 'operator', 'values'], `${path}.`);
  return {
    scopeName: readText(fields.get('scopeName'), `${path}.scopeName`),
    operator: readText(fields.get('operator'), `${path}.operator`),
    values: readTexts(fields.get('values'), `${path}.values`),
  };
}

/** `eventratelimit.admission.k8s.io/v1alpha1 Configuration`. */
export function parseEventRateLimits(document: unknown): EventRateLimitConfiguration {
  const fields = readFields(document, '');
  if (document !== undefined) {
    checkKind(fields, 'Configuration', ['eventratelimit.admission.k8s.io/v1alpha1']);
    refuseOtherFields(fields, ['kind', 'apiVersion', 'limits']);
  }
  const items = readList(fields.get('limits'), 'limits');
  if (items.length === 0) refuse([fieldError.invalid('limits', [], 'must not be empty')]);
  const errors: FieldError[] = [];
  const limits = items.flatMap((item, i) => readEventLimit(item, `limits[${i}]`, errors) ?? []);
  if (errors.length > 0) refuse(errors);
  return { limits };
}

function readEventLimit(item: unknown, path: string, errors: FieldError[]): EventLimit | undefined {
  const fields = readFields(item, path);
  refuseOtherFields(fields, ['type', 'qps', 'burst', 'cacheSize'], `${path}.`);
  const text = readText(fields.get('type'), `${path}.type`);
  const number = (name: string) => readInteger(fields.get(name), `${path}.${name}`) ?? 0;
  const [qps, burst, cacheSize] = [number('qps'), number('burst'), number('cacheSize')];
  const type = eventLimitTypes.find((known) => known === text);
  if (type === undefined)
    errors.push(fieldError.notSupported(`${path}.type`, text, [...eventLimitTypes].sort()));
  if (burst <= 0) errors.push(fieldError.invalid(`${path}.burst`, burst, 'must be positive'));
  if (qps <= 0) errors.push(fieldError.invalid(`${path}.qps`, qps, 'must be positive'));
  if (type !== 'Server' && cacheSize < 0)
    errors.push(fieldError.invalid(`${path}.cacheSize`, cacheSize, 'must not be negative'));
  return type === undefined ? undefined : { type, qps, burst, cacheSize };
}

/** `podNodeSelectorPluginConfig`: selectors by namespace; the file has no kind. */
export function parsePodNodeSelectors(document: unknown): PodNodeSelectorConfiguration {
  const field = 'podNodeSelectorPluginConfig';
  const entries = [...readFields(readFields(document, '').get(field), field)];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, readText(value, `${field}.${name}`)]),
  );
}

/** `podtolerationrestriction.admission.k8s.io/v1alpha1 Configuration`. */
export function parsePodTolerationRestriction(
  document: unknown,
): PodTolerationRestrictionConfiguration {
  if (document === undefined) return {};
  const fields = readFields(document, '');
  checkKind(fields, 'Configuration', ['podtolerationrestriction.admission.k8s.io/v1alpha1']);
  refuseOtherFields(fields, ['kind', 'apiVersion', 'default', 'whitelist']);
  const tolerations = (name: string) =>
    readList(fields.get(name), name).map((item, i) => readToleration(item, `${name}[${i}]`));
  return { default: tolerations('default'), whitelist: tolerations('whitelist') };
}

function readToleration(item: unknown, path: string): Toleration {
  const fields = readFields(item, path);
  const names = ['key', 'operator', 'value', 'effect'] as const;
  refuseOtherFields(fields, [...names, 'tolerationSeconds'], `${path}.`);
  const toleration: Toleration = {};
  for (const name of names) {
    const text = readText(fields.get(name), `${path}.${name}`);
    if (text !== '') toleration[name] = text;
  }
  const seconds = readInteger(fields.get('tolerationSeconds'), `${path}.tolerationSeconds`);
  if (seconds !== undefined) toleration.tolerationSeconds = seconds;
  return toleration;
}

function refuse(errors: readonly FieldError[]): never {
  const texts = errors.map(renderFieldError);
  throw new AdmissionConfigurationError(
    texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
  );
}
