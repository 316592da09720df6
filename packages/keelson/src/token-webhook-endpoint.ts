// The server that `--authentication-token-webhook-config-file` names, as something to post to. The
// kubeconfig says where it is, whom to believe, and who to be; the URL's path is used as it is.

import {
  createHttpsTransport,
  KubeconfigError,
  loadKubeconfig,
  TransportError,
} from '@keelson/client';
import { BrokenConnection, type PostToWebhook } from '@keelson/apiserver';

// A TokenReview has some kilobytes; groups may make it larger.
const answerBytesMax = 1024 * 1024;
const connectionsMax = 64;

export interface WebhookEndpoint {
  readonly post: PostToWebhook;
  close(): void;
}

/** Throws KubeconfigError. */
export function openTokenWebhook(kubeconfigFile: string): WebhookEndpoint {
  const { transport: options, impersonate } = loadKubeconfig(kubeconfigFile);
  if (impersonate !== undefined)
    throw new KubeconfigError(
      'a token webhook is asked as the user of the kubeconfig, not `as` another',
    );
  const transport = createHttpsTransport({ ...options, connectionsMax });
  const headers = { 'content-type': 'application/json', accept: 'application/json, */*' };
  return {
    async post(body, signal) {
      try {
        const request = { method: 'POST', url: '', headers, body, signal };
        const response = await transport.request(request);
        return {
          status: response.status,
          retryAfter: response.header('retry-after') !== undefined,
          body: await response.bytes(answerBytesMax),
        };
      } catch (cause) {
        if (cause instanceof TransportError && cause.code === 'broken' && isReset(cause))
          throw new BrokenConnection(cause.message, { cause });
        throw cause;
      }
    },
    close: () => transport.close(),
  };
}

function isReset({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET';
}
