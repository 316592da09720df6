// What a StatefulSet may ask for. Its pods get a volume for every claim template, so the pod
// template is checked with those volumes in it.

import { fieldError } from '@keelson/apimachinery';
import type {
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from '@keelson/apimachinery/types/apps.v1';
import type { PodTemplateSpec, Volume } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { conforms, nonNegative, oneOf, required, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import {
  atMost100Percent,
  isZeroOrZeroPercent,
  nonNegativeIntOrPercent,
} from '../../validation/int-or-percent.ts';
import { annotations, labels } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { podAnnotations } from '../../core/pod-spec/pod-annotations.ts';
import { podTemplate } from '../../core/pod-spec/template.ts';
import {
  collisionCountGrows,
  nonNegativeCounters,
  withinReplicas,
} from '../../core/pod-spec/workload-status.ts';
import {
  alwaysRestarted,
  compileSelector,
  selectorMatchesTemplate,
  templateOptions,
  workloadSelector,
} from '../../core/pod-spec/workload.ts';
import type { PodSpecOptions } from '../../core/pod-spec/scope.ts';

export function validateStatefulSet(
  { spec }: StatefulSet,
  features: Features,
  old?: StatefulSet,
): Errors {
  const errors: Errors = [];
  podManagementPolicy(errors, 'spec.podManagementPolicy', spec.podManagementPolicy);
  updateStrategy(errors, 'spec.updateStrategy', spec.updateStrategy ?? {});
  retentionPolicy(errors, spec);
  nonNegative(errors, 'spec.replicas', spec.replicas);
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  nonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  nonNegative(errors, 'spec.ordinals.start', spec.ordinals?.start);
  // The name has been checked since 1.33; sets made before keep theirs.
  if (spec.serviceName && !old) {
    conforms(errors, 'spec.serviceName', spec.serviceName, dns1123Label);
  }
  const emptyDetail = 'empty selector is invalid for statefulset';
  workloadSelector(errors, 'spec.selector', spec.selector, emptyDetail);
  const selector = compileSelector(spec.selector);
  if (selector) {
    const options = templateOptions(features, old?.spec.template);
    selectorMatchesTemplate(errors, 'spec.template', spec.template, selector);
    template(errors, spec, options);
  } else {
    errors.push(fieldError.invalid('spec.selector', spec.selector, ''));
  }
  alwaysRestarted(errors, 'spec.template', spec.template.spec, 'StatefulSet');
  if (old) unchanged(errors, spec, old.spec);
  return errors;
}

function podManagementPolicy(errors: Errors, path: string, policy: string | undefined): void {
  if (!required(errors, path, policy)) return;
  if (policy === 'OrderedReady' || policy === 'Parallel') return;
  errors.push(fieldError.invalid(path, policy, "must be 'OrderedReady' or 'Parallel'"));
}

function updateStrategy(errors: Errors, path: string, value: StatefulSetUpdateStrategy): void {
  const { type, rollingUpdate } = value;
  if (!required(errors, path, type)) return;
  switch (type) {
    case 'OnDelete':
      if (rollingUpdate) {
        const why = "only allowed for updateStrategy 'RollingUpdate'";
        errors.push(fieldError.invalid(`${path}.rollingUpdate`, rollingUpdate, why));
      }
      break;
    case 'RollingUpdate':
      if (rollingUpdate) rolling(errors, `${path}.rollingUpdate`, rollingUpdate);
      break;
    default:
      errors.push(fieldError.invalid(path, value, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function rolling(
  errors: Errors,
  path: string,
  { partition, maxUnavailable }: NonNullable<StatefulSetUpdateStrategy['rollingUpdate']>,
): void {
  nonNegative(errors, `${path}.partition`, partition);
  if (maxUnavailable === undefined) return;
  const at = `${path}.maxUnavailable`;
  nonNegativeIntOrPercent(errors, at, maxUnavailable);
  if (isZeroOrZeroPercent(maxUnavailable)) {
    errors.push(fieldError.invalid(at, 0, 'cannot be 0'));
  }
  atMost100Percent(errors, at, maxUnavailable);
}

function retentionPolicy(errors: Errors, spec: StatefulSetSpec): void {
  const policy = spec.persistentVolumeClaimRetentionPolicy;
  if (!policy) return;
  const path = 'spec.persistentVolumeClaimRetentionPolicy';
  oneOf(errors, `${path}.whenDeleted`, policy.whenDeleted, ['Retain', 'Delete']);
  oneOf(errors, `${path}.whenScaled`, policy.whenScaled, ['Retain', 'Delete']);
}

/** COMPAT: labels and annotations are checked here and once more as part of the template. */
function template(errors: Errors, spec: StatefulSetSpec, options: PodSpecOptions): void {
  const path = 'spec.template';
  const withClaims = templateWithClaims(spec);
  const meta = withClaims.metadata ?? {};
  labels(errors, `${path}.labels`, meta.labels);
  annotations(errors, `${path}.annotations`, meta.annotations);
  podAnnotations(errors, `${path}.annotations`, [meta.annotations, withClaims.spec], { options });
  podTemplate(errors, path, withClaims, options);
}

/** The template as pods will have it: a claim template takes the place of a volume of its name. */
function templateWithClaims({ template, volumeClaimTemplates }: StatefulSetSpec): PodTemplateSpec {
  const claims = new Map<string, Volume>();
  for (const { metadata } of volumeClaimTemplates ?? []) {
    const name = metadata.name ?? '';
    claims.set(name, { name, persistentVolumeClaim: { claimName: name } });
  }
  const own = (template.spec.volumes ?? []).filter(({ name }) => !claims.has(name));
  const volumes = [...claims.values(), ...own];
  return { ...template, spec: { ...template.spec, volumes } };
}

const mayChange = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

function unchanged(errors: Errors, spec: StatefulSetSpec, old: StatefulSetSpec): void {
  const rest = { ...spec };
  const oldRest = { ...old };
  for (const field of mayChange) {
    delete (rest as Partial<StatefulSetSpec>)[field];
    delete (oldRest as Partial<StatefulSetSpec>)[field];
  }
  if (isSemanticallyEqual(rest, oldRest)) return;
  const names = mayChange.map((name) => `'${name}'`);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  const why = `updates to statefulset spec for fields other than ${list} are forbidden`;
  errors.push(fieldError.forbidden('spec', why));
}

export function validateStatefulSetStatus({ status }: StatefulSet, old: StatefulSet): Errors {
  const errors: Errors = [];
  if (!status) return errors;
  nonNegativeCounters(errors, status, [
    'replicas',
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
    'observedGeneration',
    'collisionCount',
  ]);
  withinReplicas(errors, status, [
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
  ]);
  collisionCountGrows(errors, status.collisionCount, old.status?.collisionCount);
  return errors;
}
