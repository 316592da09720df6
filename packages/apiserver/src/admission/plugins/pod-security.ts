// PodSecurity: the Pod Security Standards, chosen per namespace by labels. The decision is that of
// @keelson/pod-security; here it becomes an answer: a refusal, warnings, audit annotations. It is a
// validating plugin, so it sees the pod as it will be stored.
//
// Asked are creations and updates; the decision itself knows which resources and subresources it
// looks at. Metrics are counted through `observe`.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { StatusError, statusErrors, type Clock } from '@keelson/apimachinery';
import {
  createPodSecurityAdmission,
  type PodSecurityConfiguration,
  type PodSecurityDecision,
  type PodSecurityRefused,
} from '@keelson/pod-security';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { handling } from '../request-match.ts';

export interface PodSecurityPluginOptions {
  readonly namespaces: ObjectSource;
  readonly pods: ObjectSource;
  readonly features: Features;
  readonly clock: Clock;
  /** As the configuration file gives it; absent: everything privileged, nobody exempt. */
  readonly configuration?: PodSecurityConfiguration;
  /** Told every decision, for metrics. Must not throw. */
  readonly observe?: (decision: PodSecurityDecision, attributes: AdmissionAttributes) => void;
}

/** Throws an Error with upstream's text when the configuration is invalid. */
export function createPodSecurity(options: PodSecurityPluginOptions): AdmissionPlugin {
  const { namespaces, pods, features, clock, configuration, observe } = options;
  const release = features.emulated.minor;
  const hasRelaxationGate = release >= 29 && release <= 34;
  const standards = createPodSecurityAdmission(
    {
      namespaces: { getNamespace: (name) => presentNamespace(namespaces, name) },
      pods: { listPods: (namespace) => pods.list(namespace) },
      clock,
      pause: nextTurn,
    },
    {
      release,
      userNamespacesGate:
        hasRelaxationGate && features.enabled('UserNamespacesPodSecurityStandards'),
      ...(configuration === undefined ? {} : { configuration }),
    },
  );
  return {
    name: 'PodSecurity',
    handles: handling('CREATE', 'UPDATE'),
    async validate(attributes) {
      const decision = await standards.decide({
        operation: attributes.operation,
        resource: attributes.gvr,
        subresource: attributes.subresource,
        namespace: attributes.namespace,
        name: attributes.name,
        userName: attributes.user.name,
        object: attributes.object,
        oldObject: attributes.oldObject,
        signal: attributes.signal,
      });
      observe?.(decision, attributes);
      for (const [key, value] of Object.entries(decision.auditAnnotations))
        attributes.annotate(key, value);
      for (const text of decision.warnings) attributes.warn(text);
      if (!decision.allowed) throw refusalOf(decision, attributes);
    },
  };
}

function presentNamespace(namespaces: ObjectSource, name: string) {
  const namespace = namespaces.get('', name);
  if (namespace === undefined)
    throw statusErrors.notFound({ group: '', resource: 'namespaces' }, name);
  return namespace;
}

function refusalOf(refused: PodSecurityRefused, attributes: AdmissionAttributes): StatusError {
  switch (refused.reason) {
    case 'Forbidden':
      return admissionForbidden(attributes, refused.message);
    case 'Invalid':
      return statusErrors.invalid(attributes.gvk, attributes.name, refused.fieldErrors);
    case 'BadRequest':
      return statusErrors.badRequest(refused.message);
    case 'InternalError':
      return statusErrors.internalError(refused.message);
  }
}
