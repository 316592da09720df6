// DeviceTaintRules: taints that an administrator gives to devices of any driver (KEP-5055). The time
// of a taint is when it came, or when its effect last changed.

import { fieldError, formatTime, type FieldError } from '@keelson/apimachinery';
import type {
  DeviceTaintRule,
  DeviceTaintSelector,
} from '@keelson/apimachinery/types/resource.k8s.io.v1alpha3';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, since } from '../../printing/cells.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { atMost, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Label } from '../../validation/names.ts';
import { driverName, poolName } from '../device-names.ts';
import { validateTaint } from '../device-taints.ts';
import { statusConditionsMax } from '../limits.ts';
import { checkName } from '../lists.ts';

const status: SubresourceStrategy<DeviceTaintRule> = {
  prepareForUpdate(rule, old) {
    rule.spec = old.spec;
    keepMetadata(rule, old);
  },
  validateUpdate({ status: now }) {
    const errors: Errors = [];
    conditions(errors, 'status.conditions', now?.conditions);
    atMost(errors, 'status.conditions', now?.conditions, statusConditionsMax);
    return errors;
  },
  resetFields: [['metadata'], ['spec']],
};

export const deviceTaintRuleStrategy: Strategy<DeviceTaintRule> = {
  prepareForCreate(rule, { nowMs }) {
    startGeneration(rule);
    rule.status = {};
    rule.spec.taint.timeAdded ??= formatTime(nowMs);
  },
  prepareForUpdate(rule, old, { nowMs }) {
    if (old.status !== undefined) rule.status = old.status;
    dateTaint(rule, old, nowMs);
    advanceGeneration(rule, old, !isSemanticallyEqual(rule.spec, old.spec));
  },
  validate: validateRule,
  validateUpdate: validateRule,
  allowUnconditionalUpdate: true,
  returnDeletedObject: true,
  tableCells: (rule, nowMs) => [
    rule.metadata.name ?? '',
    rule.spec.taint.key ?? '',
    rule.spec.taint.value ?? '',
    rule.spec.taint.effect ?? '',
    rule.spec.taint.timeAdded ? since(rule.spec.taint.timeAdded, nowMs) : '',
    age(rule, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function dateTaint({ spec }: DeviceTaintRule, old: DeviceTaintRule, nowMs: number): void {
  const { taint } = spec;
  const before = old.spec.taint;
  const isStale = taint.timeAdded === before.timeAdded && taint.effect !== before.effect;
  if (taint.timeAdded === undefined || isStale) taint.timeAdded = formatTime(nowMs);
}

function validateRule({ spec }: DeviceTaintRule): FieldError[] {
  const errors: Errors = [];
  if (spec.deviceSelector) selector(errors, 'spec.deviceSelector', spec.deviceSelector);
  validateTaint(errors, 'spec.taint', spec.taint);
  return errors;
}

function selector(errors: Errors, path: string, { driver, pool, device }: DeviceTaintSelector) {
  if (driver !== undefined) driverName(errors, `${path}.driver`, driver);
  if (pool !== undefined) poolName(errors, `${path}.pool`, pool);
  if (device === '') errors.push(fieldError.required(`${path}.device`));
  else if (device !== undefined) checkName(errors, `${path}.device`, device, dns1123Label);
}
