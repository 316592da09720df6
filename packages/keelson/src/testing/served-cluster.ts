// A whole server of one release, called in process as whoever a test likes, with what it serves.

import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  callInProcess,
  createFeatures,
  createMemoryStorage,
  parseRuntimeConfig,
  systemUser,
  type UserInfo,
} from '@keelson/apiserver';
import type { AuthorizationSettings } from '../authorization.ts';
import type { ControllerName } from '../controller-list.ts';
import { startControlPlane } from '../control-plane.ts';
import { createLazyPki } from '../pki.ts';

export interface ClusterSettings {
  readonly emulatedVersion?: string;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly authorization?: AuthorizationSettings;
  readonly controllers?: ReadonlySet<ControllerName>;
}

export interface Call {
  readonly method: string;
  readonly url: string;
  readonly body?: object;
  readonly contentType?: string;
  readonly user?: UserInfo;
}
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ServedResource {
  /** `pods`, `pods/log`. */
  readonly name: string;
  readonly groupVersion: string;
  readonly group: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface ServedCluster {
  call(call: Call): Promise<Answer>;
  /** By `group/resource` or `group/resource/subresource`, in the first version that has it. */
  readonly resources: ReadonlyMap<string, ServedResource>;
  close(): Promise<void>;
}

export const nodeUser: UserInfo = {
  name: 'system:node:n1',
  uid: '',
  groups: ['system:nodes', 'system:authenticated'],
  extra: {},
};

export async function startServedCluster(settings: ClusterSettings = {}): Promise<ServedCluster> {
  const dependencies = { clock: systemClock, random: systemRandom };
  const plane = await startControlPlane({
    storage: createMemoryStorage({ clock: systemClock }),
    features: createFeatures({
      featureGates: settings.featureGates ?? {},
      ...(settings.emulatedVersion === undefined
        ? {}
        : { emulatedVersion: settings.emulatedVersion }),
    }),
    pki: createLazyPki(dependencies, { dnsNames: [], ipAddresses: ['127.0.0.1'] }),
    runtimeConfig: parseRuntimeConfig(['api/all=true']),
    serverAddress: () => '127.0.0.1:6443',
    ...(settings.authorization === undefined ? {} : { authorization: settings.authorization }),
    ...(settings.controllers === undefined ? {} : { controllers: settings.controllers }),
  });
  const call = async ({ method, url, body, contentType, user = systemUser }: Call) => {
    const ended = new AbortController();
    const answer = await callInProcess(plane.server.serve, {
      method,
      url,
      user,
      signal: ended.signal,
      headers: { 'content-type': contentType ?? 'application/json' },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    });
    // A watch has no end of its own.
    if (url.includes('watch=true') && answer.status === 200) {
      ended.abort();
      return { status: answer.status, body: {} };
    }
    const text = Buffer.from(await answer.bytes()).toString();
    return {
      status: answer.status,
      body: (text.startsWith('{') ? JSON.parse(text) : { message: text }) as Answer['body'],
    };
  };
  const resources = await discover(call);
  return { call, resources, close: () => plane.close() };
}

async function discover(call: ServedCluster['call']): Promise<Map<string, ServedResource>> {
  const { body } = await call({ method: 'GET', url: '/apis' });
  const groups = body['groups'] as readonly {
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
  const versions = groups.flatMap(({ versions: all }) => all.map((v) => v.groupVersion));
  const found = new Map<string, ServedResource>();
  for (const groupVersion of ['v1', ...versions]) {
    const answer = await call({ method: 'GET', url: pathOfVersion(groupVersion) });
    const listed = answer.body['resources'] as Omit<ServedResource, 'group' | 'groupVersion'>[];
    const group = groupVersion.includes('/') ? (groupVersion.split('/')[0] ?? '') : '';
    for (const resource of listed) {
      const key = `${group}/${resource.name}`;
      if (!found.has(key)) found.set(key, { ...resource, group, groupVersion });
    }
  }
  return found;
}

function pathOfVersion(groupVersion: string): string {
  return groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
}
