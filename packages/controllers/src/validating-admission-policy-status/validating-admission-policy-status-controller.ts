// The status of a ValidatingAdmissionPolicy: what is odd about the types in its expressions, found
// once for each generation. What knows the types is handed in; servers enforce policies without it.

import { isStatusError } from '@keelson/apimachinery';
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { errorText, type Controller, type ControllerContext } from '../machinery/controller.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

export interface ValidatingAdmissionPolicyStatusOptions {
  /** In which the server serves policies. */
  readonly version: string;
  /** Must not throw for what the server has accepted. */
  readonly checkTypes: (policy: ValidatingAdmissionPolicy) => readonly ExpressionWarning[];
}

const group = 'admissionregistration.k8s.io';
const fieldManager = 'validatingadmissionpolicy-status-controller';

export function createValidatingAdmissionPolicyStatusController(
  { client, informers, clock, log, metrics }: ControllerContext,
  { version, checkTypes }: ValidatingAdmissionPolicyStatusOptions,
): Controller {
  const queue = createWorkQueue({
    clock,
    meter: metrics.workQueue('validatingadmissionpolicy-status'),
  });
  const gvr = { group, version, resource: 'validatingadmissionpolicies' };
  const policies = informers.informer<ValidatingAdmissionPolicy>(gvr);
  const resource = client.resource<ValidatingAdmissionPolicy>(gvr);
  const reconcile = async (name: string, signal: AbortSignal) => {
    const policy = policies.store.get('', name);
    if (policy === undefined) return;
    const generation = policy.metadata.generation ?? 0;
    if (generation <= (policy.status?.observedGeneration ?? 0)) return;
    const warnings = checkTypes(policy);
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: [...warnings] };
    const configuration = {
      apiVersion: `${group}/${version}`,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      status: { observedGeneration: generation, typeChecking },
    } as ValidatingAdmissionPolicy;
    try {
      await resource.apply(configuration, {
        fieldManager,
        force: true,
        subresource: 'status',
        signal,
      });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };
  return {
    async run(signal) {
      const enqueue = ({ metadata }: ValidatingAdmissionPolicy) => queue.add(metadata.name ?? '');
      const unsubscribe = policies.addHandler({
        onAdd: enqueue,
        onUpdate: enqueue,
      });
      const onError = (error: unknown, policy: string) =>
        log.warn('types of a policy not checked', { policy, error: errorText(error) });
      await policies.synced(signal).catch(() => {});
      await runController({ queue, reconcile, workers: 5, onError }, signal);
      unsubscribe();
    },
  };
}
