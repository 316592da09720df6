// client-node makes a pool of connections for every request, and so a TLS handshake with each. One
// pool per kubeconfig spares them.

import type { KubeConfig, RequestContext } from '@kubernetes/client-node';

/** Changes the configuration, and returns it. To be called before clients are made of it. */
export function reuseConnections(config: KubeConfig): KubeConfig {
  const authenticate = config.applySecurityAuthentication.bind(config);
  let pool: ReturnType<RequestContext['getDispatcher']>;
  config.applySecurityAuthentication = async (context) => {
    await authenticate(context);
    pool ??= context.getDispatcher();
    if (pool !== undefined) context.setDispatcher(pool);
  };
  return config;
}
