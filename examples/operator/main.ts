// Runs the operator with the kubeconfig of the environment, or as a pod:
//
//   node main.ts

import { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from './reconcile.ts';
import { startOperator } from './operator.ts';
import { reuseConnections } from './reuse-connections.ts';

const config = new KubeConfig();
config.loadFromDefault();
const operator = await startOperator(reuseConnections(config), {
  onFailure: (what, error) => process.stderr.write(`${what}: ${messageOf(error)}\n`),
});
process.stdout.write('watching websites\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void operator.stop().then(() => process.exit(0)));
