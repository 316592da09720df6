// Names that end with `.static.k8s.io` belong to objects of admission that come from files
// (KEP-5793). Where such files are on, the API takes no new object of such a name; in any case it
// warns of one. Releases before 1.36 know nothing of it.

import { fieldError, type FieldError, type KubeObject } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Strategy } from '../strategy.ts';

export const staticSuffix = '.static.k8s.io';
export const manifestsGate = 'ManifestBasedAdmissionControlConfig';

const since = 36;
const reserved = `names ending with "${staticSuffix}" are reserved for static manifest-based configurations and cannot be managed via the API`;

export function withReservedNames(strategy: Strategy): Strategy {
  return {
    ...strategy,
    validate(object, context) {
      const own = strategy.validate?.(object, context) ?? [];
      return [...reservedNameErrors(object, context.features), ...own];
    },
    warningsOnCreate(object, context) {
      const own = strategy.warningsOnCreate?.(object, context) ?? [];
      return [...reservedNameWarnings(object, context.features), ...own];
    },
    warningsOnUpdate(object, old, context) {
      const own = strategy.warningsOnUpdate?.(object, old, context) ?? [];
      return [...reservedNameWarnings(object, context.features), ...own];
    },
  };
}

function hasReservedName({ metadata }: KubeObject): boolean {
  return (metadata.name ?? '').endsWith(staticSuffix);
}

function reservedNameErrors(object: KubeObject, features: Features): FieldError[] {
  if (!hasReservedName(object) || !features.enabled(manifestsGate)) return [];
  return [fieldError.invalid('metadata.name', object.metadata.name, reserved)];
}

function reservedNameWarnings(object: KubeObject, { emulated }: Features): string[] {
  return hasReservedName(object) && emulated.minor >= since ? [`metadata.name: ${reserved}`] : [];
}
