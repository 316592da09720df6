// What a control plane is made of and how it is to behave: shared by its parts.

import type { Clock, Random } from '@keelson/apimachinery';
import type {
  Features,
  Logger,
  Route,
  RuntimeConfig,
  ServerLimits,
  ServiceRanges,
  Storage,
} from '@keelson/apiserver';
import type { AuthorizationSettings } from './authorization.ts';
import type { AdmissionFlags } from './cluster-admission.ts';
import type { ControllerSettings } from './controller-description.ts';
import type { ControllerName } from './controller-list.ts';
import type { LeaderElectionSettings } from './elected-controllers.ts';
import type { IdentityOptions } from './identity.ts';
import type { Pki } from './pki.ts';
import { defaultServiceRanges } from './serving-names.ts';
import type { NodesSettings } from './start-nodes.ts';

export interface ControlPlaneOptions extends IdentityOptions, AdmissionFlags {
  readonly storage: Storage;
  readonly features: Features;
  readonly pki: Pki;
  /** `Node,RBAC` unless said otherwise. */
  readonly authorization?: AuthorizationSettings;
  readonly controllers?: ReadonlySet<ControllerName>;
  readonly controllerSettings?: ControllerSettings;
  /** Controllers run only while this control plane holds their leases; absent, always. */
  readonly leaderElection?: LeaderElectionSettings;
  /** Simulated nodes; none when absent. */
  readonly nodes?: NodesSettings;
  /** Kinds of volume snapshots are installed. */
  readonly snapshots?: boolean;
  /** `10.96.0.0/16` when absent. */
  readonly serviceRanges?: ServiceRanges;
  /**
   * Extension API servers are reached at their endpoints (the default), not over the address of
   * their Service.
   */
  readonly enableAggregatorRouting?: boolean;
  /** Where addresses of pods and services are reached, if not there. */
  readonly route?: Route;
  /** From `parseRuntimeConfig`. */
  readonly runtimeConfig?: RuntimeConfig;
  readonly serverAddress: () => string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: ServerLimits;
  /** False bounds the numbers of concurrent requests instead. */
  readonly priorityAndFairness?: boolean;
  readonly logger?: Logger;
}

/** How addresses of pods and services are reached, for those who take it as an option. */
export const reachOf = ({ route }: ControlPlaneOptions) => (route === undefined ? {} : { route });
export const serviceRangesOf = ({ serviceRanges = defaultServiceRanges }: ControlPlaneOptions) =>
  serviceRanges;
