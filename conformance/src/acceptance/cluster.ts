// What acceptance cases share: a cluster without a socket, to which they send requests by path and
// which answers each with all that was decided about it.

import assert from 'node:assert/strict';
import type { JsonValue } from '@keelson/apimachinery';
import {
  createCluster,
  type Cluster,
  type ClusterOptions,
  type Decision,
  type DecisionRequest,
} from '@keelson/keelson';

export interface AcceptanceCluster {
  readonly cluster: Cluster;
  send(
    method: DecisionRequest['method'],
    path: string,
    body?: object,
    more?: Pick<DecisionRequest, 'user' | 'contentType'>,
  ): Promise<Decision>;
  /** Asserts that it is there afterwards. */
  create(path: string, body: object): Promise<Decision>;
  /** The lines of `/metrics` about one metric. */
  metric(name: string): Promise<string[]>;
}

/** Without controllers, unless the options say so. */
export async function startCluster(options: ClusterOptions = {}): Promise<AcceptanceCluster> {
  return actOn(await createCluster({ controllers: [], ...options }));
}

export function actOn(cluster: Cluster): AcceptanceCluster {
  const send: AcceptanceCluster['send'] = (method, path, body, more = {}) =>
    cluster.decide({
      method,
      path,
      ...(body !== undefined && { body: body as JsonValue }),
      ...more,
    });
  return {
    cluster,
    send,
    async create(path, body) {
      const decision = await send('POST', path, body);
      assert.equal(decision.status, 201, messageOf(decision));
      return decision;
    },
    async metric(name) {
      const text = await cluster.client().send({ method: 'GET', path: '/metrics' });
      return Buffer.from(text)
        .toString()
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    },
  };
}

/** Of a Status; empty for an object. */
export function messageOf({ body }: Decision): string {
  const { message = '' } = (body ?? {}) as { readonly message?: string };
  return message;
}

export function assertRefused(decision: Decision, status: number, message: string | RegExp): void {
  assert.equal(decision.status, status, messageOf(decision));
  if (typeof message === 'string') assert.equal(messageOf(decision), message);
  else assert.match(messageOf(decision), message);
}

export const registration = '/apis/admissionregistration.k8s.io/v1';
export const configMaps = '/api/v1/namespaces/default/configmaps';
export const pods = '/api/v1/namespaces/default/pods';

export const ruleFor = (resource: string, group = '', operations = ['CREATE', 'UPDATE']) => ({
  apiGroups: [group],
  apiVersions: ['v1'],
  operations,
  resources: [resource],
});

/** A configuration map; `data` is what most rules of these tests are about. */
export const map = (name: string, data: object = {}, labels: object = {}) => ({
  metadata: { name, labels },
  data,
});

export interface CustomResource {
  readonly plural: string;
  readonly kind: string;
  /** Of `spec`. */
  readonly spec?: object;
  readonly rules?: readonly object[];
  readonly versions?: readonly string[];
}

/** The definition of a namespaced resource in the group `example.com`. */
export function definition({ plural, kind, spec, rules, versions = ['v1'] }: CustomResource) {
  const openAPIV3Schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        ...(spec ?? { 'x-kubernetes-preserve-unknown-fields': true }),
        ...(rules && { 'x-kubernetes-validations': rules }),
      },
    },
  };
  return {
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind },
      versions: versions.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema },
      })),
    },
  };
}
export const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const customResources = (plural: string, version = 'v1') =>
  `/apis/example.com/${version}/namespaces/default/${plural}`;
