// Which website has which host: one ConfigMap for the whole cluster. Whoever comes first has it.
//
// Two operators, or two websites, may write at once. Every write is a replace of what was read,
// with its resourceVersion, so that the API server refuses the later one (409) and the website is
// reconciled again, with what is there then. No lock, no leader, no host that is given twice.

import type { CoreV1Api, V1ConfigMap } from '@kubernetes/client-node';
import type { Website } from './website.ts';

const configMap = { namespace: 'website-system', name: 'website-hosts' };

export interface Hosts {
  /** Takes the host unless somebody has it. Returns who has it now, as `namespace/name`. */
  claim(website: Website): Promise<string>;
  /** Gives it back, if this website has it. */
  release(website: Website): Promise<void>;
}

export const ownerNameOf = ({ metadata }: Website) => `${metadata.namespace}/${metadata.name}`;

export function createHosts(core: CoreV1Api): Hosts {
  const write = (read: V1ConfigMap, data: Record<string, string>) =>
    core.replaceNamespacedConfigMap({ ...configMap, body: { ...read, data } });
  return {
    async claim(website) {
      const { host } = website.spec;
      const read = await core.readNamespacedConfigMap(configMap);
      const owner = read.data?.[host];
      if (owner !== undefined) return owner;
      await write(read, { ...read.data, [host]: ownerNameOf(website) });
      return ownerNameOf(website);
    },
    async release(website) {
      const { host } = website.spec;
      const read = await core.readNamespacedConfigMap(configMap);
      const { [host]: owner, ...others } = read.data ?? {};
      if (owner === ownerNameOf(website)) await write(read, others);
    },
  };
}
