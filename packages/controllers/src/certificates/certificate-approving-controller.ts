// Approves the client certificates of kubelets, for whom the access review says yes: who may
// `create` `certificatesigningrequests/nodeclient` may have one for any node (bootstrap tokens), who
// may create `…/selfnodeclient` one for the node that it is already. All others wait for a person.

import { formatTime, isStatusError } from '@keelson/apimachinery';
import type { SubjectAccessReview } from '@keelson/apimachinery/types/authorization.k8s.io.v1';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf } from '../machinery/controller.ts';
import {
  certificateSigningRequestsResource,
  subjectAccessReviewsResource,
} from '../machinery/resources.ts';
import { requeueLater, runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { requestPem, type CertificateIssuer } from './certificate-issuer.ts';
import { kubeletClientProblem, kubeletClientSigner } from './signer-rules.ts';

export interface CertificateApprovingOptions {
  readonly issuer: Pick<CertificateIssuer, 'readRequest'>;
}

/** In the order in which they are tried: the smaller right first. */
const recognizers = [
  { subresource: 'selfnodeclient', isSelf: true, who: 'self kubelet' },
  { subresource: 'nodeclient', isSelf: false, who: 'kubelet' },
] as const;

export function createCertificateApprovingController(
  { client, informers, clock, log, metrics }: ControllerContext,
  { issuer }: CertificateApprovingOptions,
): Controller {
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('certificate') });
  const requests = informers.informer<CertificateSigningRequest>(
    certificateSigningRequestsResource,
  );
  const resource = client.resource<CertificateSigningRequest>(certificateSigningRequestsResource);
  const reviews = client.resource<SubjectAccessReview>(subjectAccessReviewsResource);

  const reconcile = async (key: string, signal: AbortSignal) => {
    const request = requests.store.get('', key);
    if (request === undefined || !isUndecided(request)) return;
    const { spec } = request;
    const names = issuer.readRequest(requestPem(request));
    if (kubeletClientProblem(names, spec.usages ?? []) !== undefined) return;
    for (const { subresource, isSelf, who } of recognizers) {
      if (isSelf && spec.username !== names.commonName) continue;
      const { status } = await reviews.create(review(request, subresource), { signal });
      if (status?.allowed !== true) continue;
      const text = `Auto approving ${who} client certificate after SubjectAccessReview.`;
      try {
        const options = { subresource: 'approval', signal } as const;
        await resource.update(approved(request, text, clock.now()), options);
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
      return;
    }
    // A role may be bound to the author a moment after the request.
    return requeueLater;
  };

  return {
    async run(signal) {
      const enqueue = (request: CertificateSigningRequest) =>
        isUndecided(request) && queue.add(keyOf(request));
      const end = requests.addHandler({ onAdd: enqueue, onUpdate: enqueue });
      const onError = (error: unknown, name: string) =>
        log.warn('certificate request not judged', { name, error: errorText(error) });
      await requests.synced(signal).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      end();
    },
  };
}

function isUndecided({ spec, status }: CertificateSigningRequest): boolean {
  return (
    spec.signerName === kubeletClientSigner &&
    !status?.certificate &&
    !(status?.conditions ?? []).some(({ type }) => type === 'Approved' || type === 'Denied')
  );
}

function review({ spec }: CertificateSigningRequest, subresource: string): SubjectAccessReview {
  const { username = '', uid, groups = [], extra = {} } = spec;
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user: username,
      groups,
      extra,
      ...(uid ? { uid } : {}),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        version: '*',
        resource: 'certificatesigningrequests',
        subresource,
        verb: 'create',
      },
    },
  };
}

function approved(
  request: CertificateSigningRequest,
  message: string,
  nowMs: number,
): CertificateSigningRequest {
  const condition = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message,
    lastUpdateTime: formatTime(nowMs),
  };
  const conditions = [...(request.status?.conditions ?? []), condition];
  return { ...request, status: { ...request.status, conditions } };
}
