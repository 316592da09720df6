// Creates namespaces for NamespaceAutoProvision: a request like any other, made by the server
// itself in its own process, so that everything that looks at new namespaces sees these too.

import { StatusError, type Status } from '@keelson/apimachinery';
import { systemUser } from '../authentication/system-user.ts';
import { callInProcess, type ServeRequest } from '../transport/in-process.ts';
import type { NamespaceCreator } from './plugins/namespace-auto-provision.ts';

/** `serve` is asked at each call, because the server is made after its plugins. */
export function createNamespaceCreator(serve: () => ServeRequest): NamespaceCreator {
  return {
    async createNamespace(name, signal) {
      const namespace = { kind: 'Namespace', apiVersion: 'v1', metadata: { name } };
      const answer = await callInProcess(serve(), {
        method: 'POST',
        url: '/api/v1/namespaces',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: Buffer.from(JSON.stringify(namespace)),
        user: systemUser,
        signal,
      });
      const body = Buffer.from(await answer.bytes()).toString();
      if (answer.status !== 201) throw new StatusError(JSON.parse(body) as Status);
    },
  };
}
