// Metrics of admission: how long each plugin and each phase took and whether it refused
// (`apiserver_admission_controller_admission_duration_seconds`, `apiserver_admission_step_…`), and
// what PodSecurity decided (`pod_security_…`). Plugins and the chain are decorated, so that neither
// knows of metrics.
//
// SECURITY: labels are words that the server knows, never text of the client.

import type { Clock } from '@keelson/apimachinery';
import { metricPolicyVersion, type PodSecurityDecision } from '@keelson/pod-security';
import { createAdmissionChain } from './chain.ts';
import type { Labels, Metrics } from '../metrics.ts';
import type { AdmissionAttributes, AdmissionChain, AdmissionPlugin } from './admission.ts';

const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

type PhaseType = 'admit' | 'validate';
/** What a phase is told with: the same labels for each of its runs. */
type ObserverUnder = (labels: Labels) => (seconds: number) => void;

/** The chain of these plugins, timed plugin by plugin and phase by phase. */
export function createTimedAdmission(
  plugins: readonly AdmissionPlugin[],
  metrics: Metrics,
  clock: Clock,
): AdmissionChain {
  const chain = createAdmissionChain(withAdmissionMetrics(plugins, metrics, clock));
  return withStepMetrics(chain, metrics, clock);
}

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
  return plugins.map((plugin) => {
    const { name, mutate, validate } = plugin;
    const timed = timedPhases(clock, (labels) => duration.under({ name, ...labels }));
    return {
      name,
      handles: (operation) => plugin.handles(operation),
      ...(mutate && { mutate: timed('admit', mutate.bind(plugin)) }),
      ...(validate && { validate: timed('validate', validate.bind(plugin)) }),
    };
  });
}

/** The same chain; each phase is timed as a whole, the second pass of mutation with the first. */
function withStepMetrics(chain: AdmissionChain, metrics: Metrics, clock: Clock): AdmissionChain {
  const name = 'apiserver_admission_step_admission_duration_seconds';
  const help = (what: string) =>
    `Admission sub-step latency ${what} in seconds, broken out for each operation and API resource and step type (validate or admit).`;
  const duration = metrics.histogram(name, help('histogram'), durationBuckets);
  const summary = metrics.summary(`${name}_summary`, help('summary'));
  const timed = timedPhases(clock, (labels) => {
    const observers = [duration.under(labels), summary.under(labels)];
    return (seconds) => observers.forEach((observe) => observe(seconds));
  });
  const mutate = timed('admit', (attributes) => chain.mutate(attributes));
  const validate = timed('validate', (attributes) => chain.validate(attributes));
  return {
    handles: (operation) => chain.handles(operation),
    mutate: async (attributes) => mutate(attributes),
    validate: async (attributes) => validate(attributes),
  };
}

type Phase<Rest extends unknown[]> = (
  attributes: AdmissionAttributes,
  ...rest: Rest
) => Promise<void> | void;

function timedPhases(clock: Clock, observerUnder: ObserverUnder) {
  return <Rest extends unknown[]>(type: PhaseType, phase: Phase<Rest>) => {
    const observers = new Map<string, (seconds: number) => void>();
    const observe = ({ operation }: AdmissionAttributes, startMs: number, rejected: boolean) => {
      const key = rejected ? `!${operation}` : operation;
      const known =
        observers.get(key) ?? observerUnder({ operation, rejected: String(rejected), type });
      observers.set(key, known);
      known((clock.monotonic() - startMs) / 1000);
    };
    return (attributes: AdmissionAttributes, ...rest: Rest): Promise<void> | void => {
      const startMs = clock.monotonic();
      const refuse = (error: unknown): never => {
        observe(attributes, startMs, true);
        throw error;
      };
      const accept = () => observe(attributes, startMs, false);
      let pending: Promise<void> | void;
      try {
        pending = phase(attributes, ...rest);
      } catch (error) {
        return refuse(error);
      }
      return pending === undefined ? accept() : pending.then(accept, refuse);
    };
  };
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
