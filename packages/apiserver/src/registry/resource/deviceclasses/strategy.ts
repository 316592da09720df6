// DeviceClasses: kinds of devices that claims may ask for.

import { fieldError, isExtendedResource, type FieldError } from '@keelson/apimachinery';
import type { DeviceClass } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { validateOpaque, validateSelectors } from '../device-requests.ts';
import { configsMax } from '../limits.ts';
import { checkList } from '../lists.ts';

export function createDeviceClassStrategy(checker: ExpressionChecker): Strategy<DeviceClass> {
  return {
    prepareForCreate: startGeneration,
    prepareForUpdate: (deviceClass, old) =>
      advanceGeneration(deviceClass, old, !isSemanticallyEqual(deviceClass.spec, old.spec)),
    validate: (deviceClass) => validateDeviceClass(deviceClass, { checker, old: undefined }),
    validateUpdate: (deviceClass, old) => validateDeviceClass(deviceClass, { checker, old }),
    returnDeletedObject: true,
    tableCells: (deviceClass, nowMs) => [deviceClass.metadata.name, age(deviceClass, nowMs)],
  };
}

interface ClassContext {
  readonly checker: ExpressionChecker;
  readonly old: DeviceClass | undefined;
}

function validateDeviceClass({ spec }: DeviceClass, { checker, old }: ClassContext): FieldError[] {
  const errors: Errors = [];
  const stored = old && isSemanticallyEqual(spec.selectors, old.spec.selectors);
  const session = stored ? undefined : checker.begin({ hasParams: false });
  validateSelectors(errors, 'spec.selectors', spec.selectors, session);
  checkList(errors, spec.config, {
    path: 'spec.config',
    itemsMax: configsMax,
    check: ({ opaque }, at) => validateOpaque(errors, `${at}.opaque`, opaque),
  });
  const { extendedResourceName } = spec;
  if (extendedResourceName !== undefined && !isExtendedResource(extendedResourceName)) {
    const why = 'must be a valid extended resource name';
    errors.push(fieldError.invalid('spec.extendedResourceName', extendedResourceName, why));
  }
  return errors;
}
