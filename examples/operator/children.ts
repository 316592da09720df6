// What a website is made of: its pages in a ConfigMap, a Deployment that serves them and a Service
// before it. Pure: the same website gives the same objects, so that applying them again is free.

import { createHash } from 'node:crypto';
import type { V1ConfigMap, V1Deployment, V1ObjectMeta, V1Service } from '@kubernetes/client-node';
import { group, operatorName, version, type Website } from './website.ts';

/** Of everything that the operator makes; its informers look for it. */
export const managedLabel = 'app.kubernetes.io/managed-by';
const instanceLabel = 'app.kubernetes.io/instance';

export interface Children {
  readonly configMap: V1ConfigMap;
  readonly deployment: V1Deployment;
  readonly service: V1Service;
}

export function childrenOf(website: Website): Children {
  const metadata = metadataOf(website);
  const selector = selectorOf(website);
  return {
    configMap: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...website.spec.pages } },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    deployment: deploymentOf(website, metadata),
  };
}

/** As the scale subresource gives it to autoscalers. */
export const selectorTextOf = (website: Website): string =>
  Object.entries(selectorOf(website))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

function deploymentOf(website: Website, metadata: V1ObjectMeta): V1Deployment {
  const { image, replicas, pages } = website.spec;
  const selector = selectorOf(website);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: {
        // Other pages are another template, and so a rollout.
        metadata: { labels: selector, annotations: { [`${group}/pages`]: digestOf(pages) } },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'web',
              image,
              ports: [{ name: 'http', containerPort: 80 }],
              volumeMounts: [{ name: 'pages', mountPath: '/usr/share/nginx/html', readOnly: true }],
            },
          ],
          volumes: [{ name: 'pages', configMap: { name: website.metadata.name } }],
        },
      },
    },
  };
}

function metadataOf(website: Website): V1ObjectMeta {
  const { name, namespace, uid = '' } = website.metadata;
  return {
    name,
    namespace,
    labels: { [managedLabel]: operatorName, ...selectorOf(website) },
    ownerReferences: [
      {
        apiVersion: `${group}/${version}`,
        kind: 'Website',
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}

const selectorOf = ({ metadata }: Website) => ({ [instanceLabel]: metadata.name });

function digestOf(pages: Website['spec']['pages']): string {
  const sorted = Object.entries(pages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}
