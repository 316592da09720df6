// CSINodes: the storage drivers of a node. A driver's entry may come and go, but not change, except
// for how many volumes it can take.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { CSINode, CSINodeDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Features } from '../../../features/features.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutableDetail, nonNegative, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { isLongerThan, qualifiedName } from '../../validation/names.ts';
import { csiDriverName } from '../driver-fields.ts';

const nodeIdBytesMax = 192;

export const csiNodeStrategy: Strategy<CSINode> = {
  validate: validateCsiNode,
  validateUpdate: (node, old, { features }) => [
    ...validateCsiNode(node),
    ...changedDrivers(node, old, features),
  ],
  allowUnconditionalUpdate: false,
  returnDeletedObject: true,
  tableCells: (node, nowMs) => [
    node.metadata.name,
    (node.spec.drivers ?? []).length,
    age(node, nowMs),
  ],
};

function validateCsiNode({ spec }: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  (spec.drivers ?? []).forEach((driver, i) => {
    const path = `spec.drivers[${i}]`;
    csiDriverName(errors, `${path}.name`, driver.name);
    if (required(errors, `${path}.nodeID`, driver.nodeID)) {
      checkNodeId(errors, `${path}.nodeID`, driver.nodeID);
    }
    nonNegative(errors, `${path}.allocatable.count`, driver.allocatable?.count);
    if (names.has(driver.name)) errors.push(fieldError.duplicate(`${path}.name`, driver.name));
    names.add(driver.name);
    checkTopologyKeys(errors, path, driver.topologyKeys ?? []);
  });
  return errors;
}

function checkNodeId(errors: FieldError[], path: string, id: string): void {
  if (!isLongerThan(id, nodeIdBytesMax)) return;
  errors.push(fieldError.invalid(path, id, `must be ${nodeIdBytesMax} characters or less`));
}

/** COMPAT: findings are reported for the driver as a whole. */
function checkTopologyKeys(errors: FieldError[], path: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    required(errors, path, key);
    if (seen.has(key)) errors.push(fieldError.duplicate(path, key));
    seen.add(key);
    conforms(errors, path, key, qualifiedName);
  }
}

function changedDrivers(node: CSINode, old: CSINode, features: Features): FieldError[] {
  const isCountMutable = features.enabled('MutableCSINodeAllocatableCount');
  const fixed = ({ allocatable, ...rest }: CSINodeDriver): CSINodeDriver =>
    isCountMutable || !allocatable ? rest : { ...rest, allocatable };
  const errors: FieldError[] = [];
  for (const before of old.spec.drivers ?? []) {
    for (const driver of node.spec.drivers ?? []) {
      if (driver.name !== before.name) continue;
      if (isSemanticallyEqual(fixed(driver), fixed(before))) continue;
      const shown = internalValue('io.k8s.api.storage.v1.CSINodeDriver', fixed(driver));
      errors.push(fieldError.invalid('spec.drivers', shown, immutableDetail));
    }
  }
  return errors;
}
