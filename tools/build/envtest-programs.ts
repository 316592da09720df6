// `dist/envtest`: what controller-runtime's envtest looks for in `KUBEBUILDER_ASSETS`.

import { launcherOf } from './launcher.ts';

/** Keelson has no kubectl; envtest looks for one beside the servers. */
const findKubectl = `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
old_ifs=$IFS
IFS=:
for dir in $PATH; do
  if [ -x "$dir/kubectl" ] && [ "$(readlink -f -- "$dir")" != "$here" ]; then
    IFS=$old_ifs
    exec "$dir/kubectl" "$@"
  fi
done
echo 'kubectl: none is installed; put kubectl into the PATH' >&2
exit 127
`;

/** Files of the bundle that the programs need beside them. */
export const envtestLinks: readonly string[] = ['server.mjs', 'log-worker.mjs'];

/**
 * The programs that controller-runtime's envtest starts, by path below the bundle. Their names have
 * no extension, so they are shell: node would have to guess what they are. `exec` makes signals
 * reach the server.
 */
export function envtestFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['envtest/program/kube-apiserver.mjs', launcherOf('kube-apiserver', 'server.mjs')],
    ['envtest/program/etcd-launcher.mjs', launcherOf('etcd', 'etcd.mjs')],
    [
      'envtest/kube-apiserver',
      startNode('kube-apiserver', 'kube-apiserver.mjs" kube-apiserver "$@"'),
    ],
    ['envtest/etcd', startNode('etcd', 'etcd-launcher.mjs" "$@"')],
    ['envtest/kubectl', findKubectl],
  ]);
}

/** In the repository its own Node is there; elsewhere that of the PATH must do. */
function startNode(program: string, rest: string): string {
  return `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
node=\${KEELSON_NODE:-node}
if [ -z "$KEELSON_NODE" ] && [ -x "$here/../../node_modules/.bin/node" ]; then
  node=$here/../../node_modules/.bin/node
fi
if ! command -v "$node" >/dev/null 2>&1; then
  echo "${program}: Node 24 or newer is needed, and there is no $node" >&2
  exit 2
fi
exec "$node" "$here/program/${rest}
`;
}
