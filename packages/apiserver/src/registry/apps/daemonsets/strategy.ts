// DaemonSets: one pod of the template on every node that it fits. The generation of the template is
// counted apart, in an annotation, as it was a field once.

import { copyJson, statusErrors } from '@keelson/apimachinery';
import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelSelectorText, labelText } from '../../printing/cells.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { containerCells } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';
import { validateDaemonSet, validateDaemonSetStatus } from './validation.ts';

const templateGenerationKey = 'deprecated.daemonset.template.generation';

export const daemonSetStrategy: Strategy<DaemonSet> = {
  nameRule: nameIsDns1123Subdomain,
  applyDefaults(object, features) {
    const { spec } = object;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      const rolling = (spec.updateStrategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= 1;
      rolling.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    defaultPodTemplate(spec.template, features);
    setTemplateGeneration(object, templateGeneration(object));
  },

  prepareForCreate(object, { features }) {
    object.status = noStatus();
    startGeneration(object);
    const counted = templateGeneration(object);
    setTemplateGeneration(object, counted < 1n ? 1n : counted);
    dropDisabledPodFields(object.spec.template.spec, undefined, features);
  },
  validate: (object, { features }) => validateDaemonSet(object, features),
  warningsOnCreate: ({ spec }, { features }) =>
    podTemplateWarnings('spec.template', spec.template, features),

  prepareForUpdate(object, old, { features }) {
    object.status = copyJson(old.status) ?? noStatus();
    dropDisabledPodFields(object.spec.template.spec, old.spec.template.spec, features);
    const changed = !isSemanticallyEqual(object.spec.template, old.spec.template);
    setTemplateGeneration(object, templateGeneration(old) + (changed ? 1n : 0n));
    advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
  },
  validateUpdate: (object, old, { features }) => validateDaemonSet(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    templateGeneration(object) === templateGeneration(old)
      ? []
      : podTemplateWarnings('spec.template', object.spec.template, features),

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    labelText(object.spec.template.spec?.nodeSelector),
    age(object, nowMs),
    ...containerCells(object.spec.template),
    labelSelectorText(object.spec.selector),
  ],
  versionedAnnotations: [templateGenerationKey],
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(object, old) {
        object.spec = copyJson(old.spec);
        setTemplateGeneration(object, templateGeneration(old));
      },
      validateUpdate: (object, old) => validateDaemonSetStatus(object, old),
      resetFields: [['spec']],
    },
  },
};

const noStatus = () => ({
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
});

/** Zero when there is none; anything but a number is an error of the request. */
function templateGeneration({ metadata }: DaemonSet): bigint {
  const text = metadata.annotations?.[templateGenerationKey];
  if (text === undefined) return 0n;
  if (/^[+-]?\d+$/.test(text)) {
    const value = BigInt(text.replace(/^\+/, ''));
    if (BigInt.asIntN(64, value) === value) return value;
    throw unreadable(text, 'value out of range');
  }
  throw unreadable(text, 'invalid syntax');
}

const unreadable = (text: string, why: string) =>
  statusErrors.badRequest(
    `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`,
  );

function setTemplateGeneration({ metadata }: DaemonSet, value: bigint): void {
  const annotations = { ...metadata.annotations, [templateGenerationKey]: String(value) };
  metadata.annotations = Object.fromEntries(
    Object.entries(annotations).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
