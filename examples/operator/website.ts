// The custom resource: what deploy/crd.yaml says, for the type checker.

import type { KubernetesObject, V1Condition, V1ObjectMeta } from '@kubernetes/client-node';

export const group = 'sites.example.com';
export const version = 'v1';
export const plural = 'websites';
/** Names the operator in managed fields, labels and events. */
export const operatorName = 'website-operator';
/** While a website has it, its host is still in the list of hosts. */
export const finalizer = `${group}/host`;

export interface Website extends KubernetesObject {
  readonly metadata: V1ObjectMeta & { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly host: string;
    readonly pages: Readonly<Record<string, string>>;
    readonly replicas: number;
    readonly image: string;
  };
  readonly status?: WebsiteStatus;
}

export interface WebsiteStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly selector?: string;
  readonly conditions?: readonly WebsiteCondition[];
}

/** On the wire times are text; custom objects are not converted. */
export type WebsiteCondition = Omit<V1Condition, 'lastTransitionTime'> & {
  readonly lastTransitionTime: string;
};
