// Metrics of admission: how long each plugin took and whether it refused
// (`apiserver_admission_controller_admission_duration_seconds`), and what PodSecurity decided
// (`pod_security_…`). Plugins are decorated, so that neither they nor the chain know of metrics.
//
// SECURITY: labels are words that the server knows, never text of the client.

import type { Clock } from '@keelson/apimachinery';
import { metricPolicyVersion, type PodSecurityDecision } from '@keelson/pod-security';
import type { Metrics } from '../metrics.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { Reinvocation } from './reinvocation.ts';

const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** The same plugins in the same order, each of which is timed in both phases. */
export function withAdmissionMetrics(
  plugins: readonly AdmissionPlugin[],
  metrics: Metrics,
  clock: Clock,
): AdmissionPlugin[] {
  const duration = metrics.histogram(
    'apiserver_admission_controller_admission_duration_seconds',
    'Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    durationBuckets,
  );
  type Phase = (
    attributes: AdmissionAttributes,
    reinvocation?: Reinvocation,
  ) => Promise<void> | void;
  const timed = (name: string, type: 'admit' | 'validate', phase: Phase): Phase => {
    const observers = new Map<string, (seconds: number) => void>();
    const observe = ({ operation }: AdmissionAttributes, startMs: number, rejected: boolean) => {
      const key = rejected ? `!${operation}` : operation;
      const known =
        observers.get(key) ?? duration.under({ name, operation, rejected: String(rejected), type });
      observers.set(key, known);
      known((clock.monotonic() - startMs) / 1000);
    };
    return async (attributes, reinvocation) => {
      const startMs = clock.monotonic();
      try {
        await phase(attributes, reinvocation);
      } catch (error) {
        observe(attributes, startMs, true);
        throw error;
      }
      observe(attributes, startMs, false);
    };
  };
  return plugins.map((plugin) => {
    const { name, mutate, validate } = plugin;
    return {
      name,
      handles: (operation) => plugin.handles(operation),
      ...(mutate && { mutate: timed(name, 'admit', mutate.bind(plugin)) }),
      ...(validate && { validate: timed(name, 'validate', validate.bind(plugin)) }),
    };
  });
}

type ObserveDecision = (decision: PodSecurityDecision, attributes: AdmissionAttributes) => void;

/** Counts what PodSecurity decided; `release` is the minor of the emulated release. */
export function createPodSecurityMetrics(metrics: Metrics, release: number): ObserveDecision {
  const evaluations = metrics.counter(
    'pod_security_evaluations_total',
    'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
  );
  const exemptions = metrics.counter(
    'pod_security_exemptions_total',
    'Number of exempt requests, not counting ignored or out of scope requests.',
  );
  const errors = metrics.counter(
    'pod_security_errors_total',
    'Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
  );
  for (const request_operation of ['create', 'update'])
    evaluations.add(
      {
        decision: 'allow',
        mode: 'enforce',
        policy_level: 'privileged',
        policy_version: 'latest',
        request_operation,
        resource: 'pod',
        subresource: '',
      },
      0,
    );
  return (decision, attributes) => {
    const about = {
      request_operation: attributes.operation.toLowerCase(),
      resource: resourceWord(attributes),
      subresource: attributes.subresource,
    };
    for (const { mode, policy, result } of decision.evaluations) {
      if (mode !== 'enforce' && result.allowed) continue;
      evaluations.add({
        decision: result.allowed ? 'allow' : 'deny',
        mode,
        policy_level: policy.level,
        policy_version: metricPolicyVersion(policy, release),
        ...about,
      });
    }
    if (decision.exemption !== undefined && about.resource !== 'namespace') exemptions.add(about);
    if (decision.failure !== undefined)
      errors.add({ fatal: String(decision.failure === 'fatal'), ...about });
  };
}

function resourceWord({ gvr }: AdmissionAttributes): 'pod' | 'namespace' | 'controller' {
  if (gvr.group !== '') return 'controller';
  if (gvr.resource === 'pods') return 'pod';
  return gvr.resource === 'namespaces' ? 'namespace' : 'controller';
}
