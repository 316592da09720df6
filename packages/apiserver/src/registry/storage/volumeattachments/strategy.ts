// VolumeAttachments: the wish to attach a volume to a node, and how it went.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
} from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { defaultVolumeSource } from '../../core/persistentvolumes/defaults.ts';
import { validateInlineVolumeSpec } from '../../core/persistentvolumes/validation.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { conforms, immutableDetail, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Subdomain, isLongerThan } from '../../validation/names.ts';
import { csiDriverName } from '../driver-fields.ts';

const metadataBytesMax = 256 * 1024;
const messageBytesMax = 1024;

const status: SubresourceStrategy<VolumeAttachment> = {
  prepareForUpdate(attachment, old) {
    attachment.spec = old.spec;
    keepMetadata(attachment, old);
  },
  validateUpdate: validateChange,
  resetFields: [['metadata'], ['spec']],
};

export const volumeAttachmentStrategy: Strategy<VolumeAttachment> = {
  applyDefaults({ spec }) {
    if (spec.source.inlineVolumeSpec) defaultVolumeSource(spec.source.inlineVolumeSpec);
  },
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  prepareForUpdate(attachment, old) {
    if (old.status) attachment.status = old.status;
  },
  validate(attachment) {
    const { attacher, source } = attachment.spec;
    const errors = validateAttachment(attachment);
    if (attacher) csiDriverName(errors, 'spec.attacher', attacher);
    const volume = source.persistentVolumeName;
    const path = 'spec.source.persistentVolumeName';
    if (volume !== undefined) conforms(errors, path, volume, dns1123Subdomain);
    return errors;
  },
  validateUpdate: validateChange,
  allowUnconditionalUpdate: false,
  returnDeletedObject: true,
  tableCells: (attachment, nowMs) => [
    attachment.metadata.name,
    attachment.spec.attacher,
    attachment.spec.source.persistentVolumeName ?? '',
    attachment.spec.nodeName,
    attachment.status?.attached ?? false,
    age(attachment, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function validateAttachment({ spec, status: now }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  required(errors, 'spec.attacher', spec.attacher);
  checkSource(errors, spec.source);
  conforms(errors, 'spec.nodeName', spec.nodeName, dns1123Subdomain);
  const told = Object.entries(now?.attachmentMetadata ?? {}).flat();
  const bytes = told.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > metadataBytesMax) {
    errors.push(fieldError.tooLong('status.attachmentMetadata', metadataBytesMax));
  }
  for (const field of ['attachError', 'detachError'] as const) {
    if (!isLongerThan(now?.[field]?.message ?? '', messageBytesMax)) continue;
    // COMPAT: the limit shown is that of the metadata.
    errors.push(fieldError.tooLong(`status.${field}.message`, metadataBytesMax));
  }
  return errors;
}

function checkSource(errors: FieldError[], source: VolumeAttachmentSource): void {
  const path = 'spec.source';
  const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  const { inlineVolumeSpec, persistentVolumeName } = source;
  if (inlineVolumeSpec && persistentVolumeName !== undefined) {
    errors.push(fieldError.forbidden(path, exactlyOne));
  } else if (inlineVolumeSpec) {
    validateInlineVolumeSpec(errors, `${path}.inlineVolumeSpec`, inlineVolumeSpec);
  } else if (persistentVolumeName === undefined) {
    errors.push(fieldError.required(path, exactlyOne));
  } else if (persistentVolumeName === '') {
    const why = 'must specify non empty persistentVolumeName';
    errors.push(fieldError.required(`${path}.persistentVolumeName`, why));
  }
}

function validateChange(attachment: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  const errors = validateAttachment(attachment);
  if (isSemanticallyEqual(attachment.spec, old.spec)) return errors;
  const shown = internalValue('io.k8s.api.storage.v1.VolumeAttachmentSpec', attachment.spec);
  return [...errors, fieldError.invalid('spec', shown, immutableDetail)];
}
