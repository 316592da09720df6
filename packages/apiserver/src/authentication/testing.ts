// What the tests of authentication and authorization share: requests, a clock that stands still,
// and objects that can be looked up.

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { ApiRequest } from '../http.ts';
import type { ObjectChange, ObjectSource } from '../object-source.ts';

/** A clock that shows `nowMs` until it is moved. */
export function createStoppedClock(nowMs: number): Clock & { nowMs: number } {
  return {
    nowMs,
    now() {
      return this.nowMs;
    },
    monotonic() {
      return this.nowMs;
    },
    after: () => () => {},
  };
}

/** A request without a body. */
export function createTestRequest(
  parts: Partial<Pick<ApiRequest, 'method' | 'url' | 'headers'>> & {
    readonly certificates?: readonly Uint8Array[];
  } = {},
): ApiRequest {
  return {
    method: parts.method ?? 'GET',
    url: parts.url ?? '/api',
    headers: parts.headers ?? {},
    protocol: 'HTTP/1.1',
    remoteAddress: '127.0.0.1',
    tls: true,
    peerCertificates: () => parts.certificates ?? [],
    body: () => Promise.reject(new Error('the body must not be read')),
    signal: new AbortController().signal,
  };
}

export interface TestObjects extends ObjectSource {
  set(object: KubeObject): void;
  delete(namespace: string, name: string): void;
}

/** An object source that the test fills. */
export function createTestObjects(objects: readonly KubeObject[] = []): TestObjects {
  const stored = new Map<string, KubeObject>();
  const watchers = new Set<(change: ObjectChange) => void>();
  const keyOf = (namespace: string, name: string) => `${namespace}/${name}`;
  const notify = (change: ObjectChange) => {
    for (const watcher of watchers) watcher(change);
  };
  const source: TestObjects = {
    get: (namespace, name) => stored.get(keyOf(namespace, name)),
    list: (namespace) =>
      [...stored]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object)
        .filter((o) => namespace === undefined || (o.metadata.namespace ?? '') === namespace),
    subscribe(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    set(object) {
      const key = keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
      const previous = stored.get(key);
      stored.set(key, object);
      notify(previous ? { type: 'MODIFIED', object, previous } : { type: 'ADDED', object });
    },
    delete(namespace, name) {
      const object = stored.get(keyOf(namespace, name));
      if (object === undefined) return;
      stored.delete(keyOf(namespace, name));
      notify({ type: 'DELETED', object, previous: object });
    },
  };
  for (const object of objects) source.set(object);
  return source;
}
