// What a website's status says. A condition keeps its time until it turns, and a status that says
// the same again is the same object, which nobody has to write.

import { isDeepStrictEqual } from 'node:util';
import type { V1DeploymentStatus } from '@kubernetes/client-node';
import { selectorTextOf } from './children.ts';
import type { Website, WebsiteStatus } from './website.ts';

/** Whether the website is ready, and a word and a sentence about why. */
export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: 'Available' | 'Progressing' | 'HostTaken' | 'Refused';
  readonly message: string;
}

export function judge(website: Website, deployment: V1DeploymentStatus = {}): Verdict {
  const { replicas, host } = website.spec;
  const { availableReplicas = 0, updatedReplicas = 0 } = deployment;
  if (availableReplicas >= replicas && updatedReplicas >= replicas)
    return { status: 'True', reason: 'Available', message: `http://${host} is served` };
  const message = `${availableReplicas} of ${replicas} pods are available`;
  return { status: 'False', reason: 'Progressing', message };
}

export function nextStatus(
  website: Website,
  verdict: Verdict,
  { now, replicas = 0 }: { readonly now: Date; readonly replicas?: number | undefined },
): WebsiteStatus {
  const before = website.status?.conditions?.find(({ type }) => type === 'Ready');
  const lastTransitionTime =
    before?.status === verdict.status ? before.lastTransitionTime : toApiTime(now);
  const observedGeneration = website.metadata.generation ?? 0;
  const next: WebsiteStatus = {
    observedGeneration,
    replicas,
    selector: selectorTextOf(website),
    conditions: [{ type: 'Ready', ...verdict, observedGeneration, lastTransitionTime }],
  };
  return isDeepStrictEqual(next, website.status) ? (website.status ?? next) : next;
}

/** Seconds, as Kubernetes writes times. */
const toApiTime = (date: Date) => date.toISOString().replace(/\.\d+Z$/, 'Z');
