// The kubectl programs of this machine: the one on PATH, and `kubectl.1.NN` beside its real path.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface Kubectl {
  /** `PATH` or `1.29`. */
  readonly label: string;
  readonly path: string;
}

export function findKubectls(): Kubectl[] {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((d) => join(d, 'kubectl'))
    .find((p) => existsSync(p));
  if (onPath === undefined) return [];
  const directory = dirname(realpathSync(onPath));
  const beside = readdirSync(directory)
    .filter((name) => /^kubectl\.1\.\d+$/.test(name))
    .map((name) => ({ label: name.slice('kubectl.'.length), path: join(directory, name) }));
  return [
    { label: 'PATH', path: onPath },
    ...beside.toSorted((a, b) => Number(a.label.slice(2)) - Number(b.label.slice(2))),
  ];
}
