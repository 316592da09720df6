// Taints of devices, as slices and taint rules hold them.

import type { DeviceTaint } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { oneOf, required, type Errors } from '../validation/checks.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';
import { checkName } from './lists.ts';

const taintEffects: readonly string[] = ['NoExecute', 'NoSchedule', 'None'];

export function validateTaint(errors: Errors, path: string, taint: DeviceTaint): void {
  const { key = '', value = '', effect = '' } = taint;
  checkName(errors, `${path}.key`, key, qualifiedName);
  if (value !== '') checkName(errors, `${path}.value`, value, labelValue);
  if (required(errors, `${path}.effect`, effect)) {
    oneOf(errors, `${path}.effect`, effect, taintEffects);
  }
}
