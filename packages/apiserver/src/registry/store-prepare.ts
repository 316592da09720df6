// Makes an object ready to be stored for the first time, whether a POST creates it or a PUT or apply
// that found nothing: system fields, strategy, validation, validating admission. The order is that of
// rest.BeforeCreate in k8s.io/apiserver.

import { createUid, formatTime, type KubeObject } from '@keelson/apimachinery';
import { validateObjectMeta } from './metadata-validation.ts';
import { recordValidation } from './store-trace.ts';
import {
  invalidObject,
  strategyContext,
  type StoreScope,
  type WriteRequest,
} from './store-types.ts';
import type { StrategyTransaction } from './strategy.ts';

/** Changes `object`. What `hold` is handed must be committed or rolled back, also when this throws. */
export async function prepareCreation(
  scope: StoreScope,
  object: KubeObject,
  request: WriteRequest,
  hold: (transaction: StrategyTransaction | undefined) => void,
): Promise<void> {
  const { definition, strategy } = scope;
  const context = strategyContext(scope, request);
  const meta = object.metadata;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
  meta.creationTimestamp = formatTime(context.nowMs);
  meta.uid = createUid(scope.random);
  if (definition.namespaced) meta.namespace = request.namespace;
  else delete meta.namespace;
  hold(await strategy.beginCreate?.(object, context));
  strategy.prepareForCreate?.(object, context);
  const errors = [
    ...validateObjectMeta(meta, definition, strategy),
    ...(strategy.validate?.(object, context) ?? []),
  ];
  recordValidation(scope, request, errors);
  if (errors.length > 0) throw invalidObject(scope, object, errors);
  for (const text of strategy.warningsOnCreate?.(object, context) ?? []) request.warn(text);
  strategy.canonicalize?.(object);
  await request.validateAdmission(object, undefined);
}
