// A server that is asked over its API: its objects, as far as the caller may read them, and who it
// takes a caller for. The decision trace of that question is read with the rights of whoever explains,
// which need not be those of the caller that is explained.

import {
  isJsonObject,
  isStatusError,
  parseJson,
  type DecisionStep,
  type JsonObject,
} from '@keelson/apimachinery';
import {
  createClient,
  createHttpsTransport,
  loadKubeconfig,
  type Client,
  type KubeconfigContext,
  type Transport,
} from '@keelson/client';
import { identityOf, type Identity } from '@keelson/advisor';
import { analyzedResources } from './offline-cluster.ts';

export interface LiveServer {
  readonly client: Client;
  readonly context: KubeconfigContext;
  close(): void;
}

/** Whom a caller is to act as, and with which credential. */
export interface CallerOptions {
  readonly token?: string;
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[] };
}

/** Who the server says the caller is, or its refusal; with the steps of its trace, if it has one. */
export interface FoundCaller {
  readonly code: number;
  readonly message: string;
  readonly identity?: Identity;
  readonly steps: readonly DecisionStep[];
}

/** Throws KubeconfigError. */
export function connectToServer(kubeconfig: string, contextName?: string): LiveServer {
  const context = loadKubeconfig(kubeconfig, contextName);
  const client = createClient({
    transport: createHttpsTransport(context.transport),
    userAgent: 'keelson-explain',
    ...(context.impersonate === undefined ? {} : { impersonate: context.impersonate }),
  });
  return { client, context, close: () => client.close() };
}

/** What may not be read is named in `missing`. */
export async function readServerObjects(client: Client): Promise<{
  readonly objects: readonly JsonObject[];
  readonly missing: readonly string[];
}> {
  const objects: JsonObject[] = [];
  const missing: string[] = [];
  for (const resource of analyzedResources) {
    try {
      const { items } = await client.resource(resource).listAll();
      objects.push(...(items as unknown as JsonObject[]));
    } catch (error) {
      if (!isStatusError(error, 'Forbidden')) throw error;
      missing.push(resource.resource);
    }
  }
  return { objects, missing };
}

/** Of a SelfSubjectReview; groups and extra are bounded by what a certificate or token can hold. */
const answerBytesMax = 1024 * 1024;

/** Asks the server with a SelfSubjectReview. */
export async function findCaller(
  { client, context }: LiveServer,
  caller: CallerOptions,
): Promise<FoundCaller> {
  const transport = createHttpsTransport(transportOf(context, caller));
  try {
    const answer = await sendReview(transport, caller);
    const steps = answer.traceId === undefined ? [] : await readTrace(client, answer.traceId);
    const status = isJsonObject(answer.body) ? answer.body['status'] : undefined;
    const userInfo = isJsonObject(status) ? status['userInfo'] : undefined;
    const message = isJsonObject(answer.body) ? answer.body['message'] : '';
    return {
      code: answer.code,
      message: typeof message === 'string' ? message : '',
      ...(isJsonObject(userInfo) ? { identity: toIdentity(userInfo) } : {}),
      steps,
    };
  } finally {
    transport.close();
  }
}

/** A token takes the place of the kubeconfig's credentials. */
function transportOf({ transport }: KubeconfigContext, { token }: CallerOptions) {
  if (token === undefined) return transport;
  const { certificatePem: _certificate, privateKeyPem: _key, ...rest } = transport;
  return { ...rest, token: () => token };
}

async function sendReview(transport: Transport, { impersonate }: CallerOptions) {
  const response = await transport.request({
    method: 'POST',
    url: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'keelson-explain': '1',
      ...(impersonate === undefined ? {} : { 'impersonate-user': impersonate.user }),
      ...(impersonate === undefined || impersonate.groups.length === 0
        ? {}
        : { 'impersonate-group': [...impersonate.groups] }),
    },
    body: Buffer.from('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'),
  });
  return {
    code: response.status,
    body: parseJson(await response.bytes(answerBytesMax)),
    traceId: response.header('keelson-trace'),
  };
}

/** None when the server has no traces, or whoever explains may not read them. */
async function readTrace(client: Client, id: string): Promise<readonly DecisionStep[]> {
  try {
    const bytes = await client.send({ method: 'GET', path: `/debug/keelson/traces/${id}` });
    const trace = parseJson(bytes);
    const steps = isJsonObject(trace) ? trace['steps'] : undefined;
    return Array.isArray(steps) ? (steps as unknown as DecisionStep[]) : [];
  } catch (error) {
    if (isStatusError(error)) return [];
    throw error;
  }
}

function toIdentity(userInfo: JsonObject): Identity {
  const { username, groups } = userInfo;
  const names = Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
  return identityOf(String(username), names);
}
