// Runs a strategy over plain objects as the store does, for tests: reads the object, defaults,
// prepares and validates it. Findings are given as the texts that clients see.

import {
  decodeValue,
  parseApiVersion,
  renderFieldError,
  typeForKind,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Strategy, StrategyContext } from '../strategy.ts';

export const testContext: StrategyContext = {
  user: { name: 'ann', uid: '', groups: ['devs'], extra: {} },
  nowMs: Date.parse('2024-01-01T00:00:00Z'),
  features: { emulated: { major: 1, minor: 36 }, enabled: () => true },
  dryRun: false,
};

/** The object as the server reads it; without defaults. */
export function readObject(json: object): KubeObject {
  const { apiVersion = '', kind = '' } = json as { apiVersion?: string; kind?: string };
  const groupVersion = parseApiVersion(apiVersion);
  const type = groupVersion && typeForKind({ ...groupVersion, kind });
  if (!type) throw new Error(`there is no ${kind} in ${apiVersion}`);
  return decodeValue(structuredClone(json) as JsonObject, type).value as unknown as KubeObject;
}

export interface Outcome {
  readonly object: KubeObject;
  readonly errors: string[];
}

export function runCreate(strategy: Strategy, json: object, context = testContext): Outcome {
  const object = readObject(json);
  strategy.applyDefaults?.(object, context.features);
  strategy.prepareForCreate?.(object, context);
  const errors = strategy.validate?.(object, context) ?? [];
  return { object, errors: errors.map(renderFieldError) };
}

/** `subresource`: through which the update comes; none for the object itself. */
export function runUpdate(
  strategy: Strategy,
  [json, oldJson]: readonly [object, object],
  subresource?: string,
): Outcome {
  const old = readObject(oldJson);
  const object = readObject(json);
  for (const one of [old, object]) strategy.applyDefaults?.(one, testContext.features);
  const update = subresource === undefined ? strategy : strategy.subresources?.[subresource];
  if (!update) throw new Error(`the strategy has no subresource ${subresource}`);
  update.prepareForUpdate?.(object, old, testContext);
  const errors = update.validateUpdate?.(object, old, testContext) ?? [];
  return { object, errors: errors.map(renderFieldError) };
}
