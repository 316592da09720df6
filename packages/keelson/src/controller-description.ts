// How a controller is described (controller-descriptions.ts has them all), and what it is given when
// it is made.

import type { GroupVersionResource } from '@keelson/apimachinery';
import type { PolicyRule } from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import type { CertificateAuthority } from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import type {
  CertificateIssuer,
  Controller,
  ControllerContext,
  NodeCidrSettings,
  QuotaCounting,
  Scheduler,
  SchedulerConfiguration,
  SchedulerOptions,
  ServiceAccountTokenOptions,
  ValidatingAdmissionPolicyStatusOptions,
} from '@keelson/controllers';
import type { UserSpec } from './in-process-client.ts';

/** What is decided by flags of kube-controller-manager. */
export interface ControllerSettings {
  /** `--cluster-signing-duration` */
  readonly certificateDurationMs?: number;
  /**
   * `--cluster-signing-*-file`: by name of the signer; who has none signs nothing. Absent: the control
   * plane's own authority signs for all.
   */
  readonly signingAuthorities?: ReadonlyMap<string, CertificateAuthority>;
  /** `--legacy-service-account-token-clean-up-period` */
  readonly legacyTokenCleanUpPeriodMs?: number;
  /** How often unused tokens are looked for; no flag, as upstream. */
  readonly legacyTokenSyncIntervalMs?: number;
  /** `--horizontal-pod-autoscaler-sync-period` */
  readonly autoscalerSyncPeriodMs?: number;
  /** `--disable-force-detach-on-timeout` */
  readonly isForceDetachDisabled?: boolean;
  /**
   * `--cluster-cidr` and `--node-cidr-mask-size*`; absent without `--allocate-node-cidrs`, when
   * nodes get no addresses for their pods.
   */
  readonly nodeCidrs?: NodeCidrSettings;
  /** `--scheduler-config` */
  readonly scheduler?: SchedulerConfiguration;
}

/** What controllers are told by who starts them. */
export interface ControllerInputs {
  /** Published to all namespaces, for pods to know the server by. */
  readonly rootCaPem: string;
  readonly issueToken: ServiceAccountTokenOptions['issueToken'];
  /** The authority that signs certificates. */
  readonly certificates: CertificateIssuer;
  readonly settings?: ControllerSettings;
  /** Absent where no version of ValidatingAdmissionPolicy is served. */
  readonly policies?: ValidatingAdmissionPolicyStatusOptions | undefined;
  /** Feature gates of the emulated release. */
  readonly isEnabled: (gate: string) => boolean;
  readonly isServed: (resource: GroupVersionResource) => boolean;
  /** Ranges of the addresses of Services. */
  readonly serviceCidrs: readonly string[];
  /** How objects use quota, as admission counts it. */
  readonly quotaCounting: QuotaCounting;
  /** The scheduler, as long as one runs. */
  readonly onScheduler?: (scheduler: Scheduler | undefined) => void;
  /** Where the scheduler's metrics are served. */
  readonly schedulerMetrics?: SchedulerOptions['metrics'];
  /** How extenders of the scheduler are reached. */
  readonly openExtender?: SchedulerOptions['openExtender'];
}

export interface ControllerDescription {
  /**
   * In kube-system. The name is Kubernetes', and the default policy's. Absent: COMPAT, it acts as
   * the controller manager, for it has to run before there are accounts with tokens.
   */
  readonly account?: string;
  /** What the default policy does not give its account: a ClusterRole of its own, bound to it. */
  readonly rules?: readonly PolicyRule[];
  /** It does not run where the emulated release does not have this. */
  readonly gate?: string;
  /** Who it is, when it is neither of these. */
  readonly user?: UserSpec;
  /** COMPAT: its first word is the field manager of what it writes. */
  readonly userAgent?: string;
  /** Undefined when there is nothing to do in this cluster. */
  create(context: ControllerContext, tools: ControllerTools): Controller | undefined;
}
export interface ControllerTools extends ControllerInputs {
  readonly readingClient: Client;
}
