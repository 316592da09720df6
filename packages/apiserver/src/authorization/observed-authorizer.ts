// For tools that check decisions from outside: what an authorizer decides, step by step, and the views it
// decides from, on the diagnostics channel `keelson.authorization`. Asked once, when the authorizer is
// put together; without a subscriber the authorizer is what it was.
//
// SECURITY: only code in this process can subscribe, and it could read the objects anyway.

import { channel } from 'node:diagnostics_channel';
import type { DecisionStep, DecisionTrace } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import type { AuthorizationResult, Authorizer } from './authorizer.ts';
import type { AuthorizationConfiguration } from './configuration/authorization-configuration.ts';
import type { NodeGraphObjects } from './node/node-graph.ts';
import type { RbacObjects } from './rbac/rbac-authorizer.ts';

export interface ObservedAuthorization {
  readonly configuration: AuthorizationConfiguration;
  readonly features: Features;
  readonly objects: RbacObjects & NodeGraphObjects;
}

interface Observer {
  reconfigured(modes: readonly string[]): void;
  question(...asked: unknown[]): number;
  step(id: number, step: DecisionStep): void;
  decision(id: number, decision: AuthorizationResult['decision'] | 'error'): void;
  close(): void;
}

export interface ObservedAuthorizer {
  readonly authorizer: Authorizer;
  reconfigure(configuration: AuthorizationConfiguration): void;
  close(): void;
}

const observers = channel('keelson.authorization');
const observedGates = [
  'AuthorizeNodeWithSelectors',
  'KubeletServiceAccountTokenForCredentialProviders',
  'PodCertificateRequest',
];

/** The same authorizer, when nobody observes. */
export function observeAuthorizer(
  authorizer: Authorizer,
  { configuration, features, objects }: ObservedAuthorization,
): ObservedAuthorizer {
  const unobserved = { authorizer, reconfigure: () => {}, close: () => {} };
  if (!observers.hasSubscribers) return unobserved;
  const modes = modesOf(configuration);
  const views = viewsOf(objects);
  const gates = Object.fromEntries(observedGates.map((gate) => [gate, features.enabled(gate)]));
  const published: { observer?: Observer } & object = { modes, gates, views } as object;
  observers.publish(published);
  const { observer } = published;
  if (observer === undefined) return unobserved;
  return {
    reconfigure: (next) => observer.reconfigured(modesOf(next)),
    close: () => observer.close(),
    authorizer: {
      name: authorizer.name,
      authorize(user, attributes, trace) {
        const id = observer.question(user, attributes);
        const answer = authorizer.authorize(user, attributes, traceInto(observer, id, trace));
        const note = (result: AuthorizationResult) => {
          observer.decision(id, result.decision);
          return result;
        };
        return answer instanceof Promise ? answer.then(note) : note(answer);
      },
    },
  };
}

/** As they call themselves in steps. */
function modesOf({ authorizers }: AuthorizationConfiguration): string[] {
  return authorizers.map(({ type, name }) => (type === 'Webhook' ? `webhook ${name}` : type));
}

/** What the authorizers decide from. */
function viewsOf(objects: RbacObjects & NodeGraphObjects) {
  const { roles, roleBindings, clusterRoles, clusterRoleBindings } = objects;
  const { pods, persistentVolumes, volumeAttachments, resourceSlices } = objects;
  const { podCertificateRequests } = objects;
  const rbac = { roles, roleBindings, clusterRoles, clusterRoleBindings };
  return {
    ...rbac,
    pods,
    persistentVolumes,
    volumeAttachments,
    resourceSlices,
    podCertificateRequests,
  };
}

/** Each step as it is made, also into the caller's trace. */
function traceInto(observer: Observer, id: number, outer: DecisionTrace): DecisionTrace {
  return {
    enabled: true,
    steps: () => outer.steps(),
    record(step) {
      observer.step(id, step);
      outer.record(step);
    },
  };
}
