// The PodSecurity admission decision: which requests are looked at and by whom. What is decided
// about pods and workloads stands in pod-admission.ts, about namespaces in namespace-admission.ts;
// all other resources are allowed without a look. Whoever calls this turns the decision into an
// answer, audit annotations and metrics.

import {
  exemptionsOf,
  type AdmissionContext,
  type PodSecurityDependencies,
  type PodSecurityRequest,
} from './admission-context.ts';
import { allowedSilently, type PodSecurityDecision } from './admission-decision.ts';
import {
  defaultConfiguration,
  defaultPolicyOf,
  validatePodSecurityConfiguration,
  type PodSecurityConfiguration,
} from './configuration.ts';
import { createEvaluator, newestRelease, type EvaluatorOptions } from './evaluate.ts';
import { renderFieldErrors } from './field-error.ts';
import type { LevelVersion } from './level-version.ts';
import { decideNamespace } from './namespace-admission.ts';
import { decidePod, decideWorkload } from './pod-admission.ts';
import { hasPodTemplate } from './pod-templates.ts';

export interface PodSecurityOptions extends EvaluatorOptions {
  readonly configuration?: PodSecurityConfiguration;
}

export interface PodSecurityAdmission {
  /** Decides about any request; failures of the dependencies are decisions too. */
  decide(request: PodSecurityRequest): Promise<PodSecurityDecision>;
}

/** Throws an Error with upstream's text when the configuration is invalid. */
export function createPodSecurityAdmission(
  dependencies: PodSecurityDependencies,
  options: PodSecurityOptions = {},
): PodSecurityAdmission {
  const configuration = options.configuration ?? defaultConfiguration;
  const faults = validatePodSecurityConfiguration(configuration);
  if (faults.length > 0) throw new Error(`PodSecurity invalid: ${renderFieldErrors(faults)}`);
  const context: AdmissionContext = {
    dependencies,
    evaluate: createEvaluator(options),
    release: options.release ?? newestRelease,
    defaults: defaultPolicyOf(configuration),
    exempt: exemptionsOf(configuration),
  };
  return {
    async decide(request) {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return allowedSilently;
      const { group, resource } = request.resource;
      if (group === '' && resource === 'pods') return decidePod(context, request);
      if (group === '' && resource === 'namespaces') return decideNamespace(context, request);
      return hasPodTemplate(request.resource) ? decideWorkload(context, request) : allowedSilently;
    },
  };
}

/**
 * The `policy_version` label of metrics. A version that the release does not know is `future`, so
 * that clients cannot make up label values.
 */
export function metricPolicyVersion({ level, version }: LevelVersion, release: number): string {
  if (version === 'latest' || level === 'privileged') return 'latest';
  return BigInt(version.slice('v1.'.length)) <= BigInt(release) ? version : 'future';
}
