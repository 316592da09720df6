// What the configuration files of single plugins say. Each function takes the decoded file, or
// undefined when there is none, and throws AdmissionConfigurationError when it cannot be used.
// (PodSecurity reads its own, in @keelson/pod-security.)

import { isAbsolute } from 'node:path';
import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import {
  fieldError,
  formatGoDuration,
  renderFieldError,
  type FieldError,
} from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import { manifestsGate } from '../registry/admissionregistration/reserved-names.ts';
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
import type { ImagePolicyConfiguration } from './plugins/image-policy-webhook.ts';
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

/** Where a plugin of webhooks or policies finds what is no object of the API. */
export interface ExtensionConfiguration {
  /** Who the server is to webhooks, by host. Absent: nobody. */
  readonly kubeConfigFile?: string;
  /** The folder of static manifests (KEP-5793). */
  readonly staticManifestsDir?: string;
}

const v1 = 'apiserver.config.k8s.io/v1';
const extensionKinds: Readonly<Record<string, readonly [kind: string, versions: string[]][]>> = {
  webhooks: [
    ['WebhookAdmissionConfiguration', [v1]],
    ['WebhookAdmission', [v1, 'apiserver.config.k8s.io/v1alpha1']],
  ],
  ValidatingAdmissionPolicy: [['ValidatingAdmissionPolicyConfiguration', [v1]]],
  MutatingAdmissionPolicy: [['MutatingAdmissionPolicyConfiguration', [v1]]],
};

/** Of a plugin for webhooks or policies; a folder of manifests needs its feature gate. */
export function parseExtensionConfiguration(
  document: unknown,
  plugin: string,
  features: Features,
): ExtensionConfiguration {
  if (document === undefined) return {};
  const fields = readFields(document, '');
  const isAboutWebhooks = plugin.endsWith('Webhook');
  const kinds = extensionKinds[isAboutWebhooks ? 'webhooks' : plugin] ?? [];
  const [kind, versions] = kinds.find(([name]) => name === fields.get('kind')) ??
    kinds[0] ?? ['', []];
  checkKind(fields, kind, versions);
  const names = [...(isAboutWebhooks ? ['kubeConfigFile'] : []), 'staticManifestsDir'];
  refuseOtherFields(fields, ['kind', 'apiVersion', ...names]);
  const path = (name: string) => readText(fields.get(name), name);
  const [kubeConfigFile, staticManifestsDir] = [path('kubeConfigFile'), path('staticManifestsDir')];
  const absolute = 'must be an absolute file path';
  if (kubeConfigFile !== '' && !isAbsolute(kubeConfigFile))
    refuse([fieldError.invalid('kubeConfigFile', kubeConfigFile, absolute)]);
  if (staticManifestsDir !== '' && !features.enabled(manifestsGate))
    refuse([
      fieldError.forbidden(
        'staticManifestsDir',
        `staticManifestsDir requires the ${manifestsGate} feature gate to be enabled`,
      ),
    ]);
  if (staticManifestsDir !== '' && !isAbsolute(staticManifestsDir))
    refuse([fieldError.invalid('staticManifestsDir', staticManifestsDir, absolute)]);
  return {
    ...(kubeConfigFile !== '' && { kubeConfigFile }),
    ...(staticManifestsDir !== '' && { staticManifestsDir }),
  };
}

/** `imagePolicy`; the file has no kind. Unset times have defaults, -1 turns what they are for off. */
export function parseImagePolicy(document: unknown): ImagePolicyConfiguration {
  if (document === undefined) throw new AdmissionConfigurationError('no config specified');
  const fields = readFields(readFields(document, '').get('imagePolicy'), 'imagePolicy');
  const known = ['kubeConfigFile', 'allowTTL', 'denyTTL', 'retryBackoff', 'defaultAllow'];
  refuseOtherFields(fields, known, 'imagePolicy.');
  const time = (name: string, { unitMs, minMs, maxMs, defaultMs }: TimeRange): number => {
    const given = readInteger(fields.get(name), `imagePolicy.${name}`) ?? 0;
    if (given === -1) return 0;
    if (given === 0) return defaultMs;
    const ms = given * unitMs;
    if (ms >= minMs && ms <= maxMs) return ms;
    const [min, max, got] = [minMs, maxMs, ms].map((value) =>
      formatGoDuration(BigInt(value) * 1_000_000n),
    );
    throw new AdmissionConfigurationError(`valid value is between ${min} and ${max}, got ${got}`);
  };
  const minute = 60_000;
  const remembered = { unitMs: 1_000, minMs: 1_000, maxMs: 30 * minute };
  return {
    kubeConfigFile: readText(fields.get('kubeConfigFile'), 'imagePolicy.kubeConfigFile'),
    backoffMs: time('retryBackoff', { unitMs: 1, minMs: 1, maxMs: 5 * minute, defaultMs: 500 }),
    allowMs: time('allowTTL', { ...remembered, defaultMs: 5 * minute }),
    denyMs: time('denyTTL', { ...remembered, defaultMs: 30_000 }),
    defaultAllow: fields.get('defaultAllow') === true,
  };
}

interface TimeRange {
  readonly unitMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly defaultMs: number;
}

function refuse(errors: readonly FieldError[]): never {
  const texts = errors.map(renderFieldError);
  throw new AdmissionConfigurationError(
    texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
  );
}
