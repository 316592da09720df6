// Warnings about volumes that put two files in one place: the later one hides the earlier.

import { quoteGo } from '@keelson/apimachinery';
import type { Volume, VolumeProjection } from '@keelson/apimachinery/types/core.v1';

interface FilePath {
  readonly path: string;
  /** Where the file of a projection comes from; empty for other volumes. */
  readonly source: string;
}

export function overlappingPathWarnings(volumes: readonly Volume[]): string[] {
  return volumes.flatMap((volume) => {
    const { name, configMap, secret, downwardAPI } = volume;
    const warn = (kind: string, files: FilePath[]) =>
      overlaps(files).map(
        (text) => `volume ${quoteGo(name)} (${kind}): overlapping paths: ${text}`,
      );
    return [
      ...warn(`ConfigMap ${quoteGo(configMap?.name ?? '')}`, filesOf(configMap?.items)),
      ...warn(`Secret ${quoteGo(secret?.secretName ?? '')}`, filesOf(secret?.items)),
      ...warn('DownwardAPI', filesOf(downwardAPI?.items)),
      ...projectedWarnings(volume, warn),
    ];
  });
}

function projectedWarnings(
  { name, projected }: Volume,
  warn: (kind: string, files: FilePath[]) => string[],
): string[] {
  const sources = projected?.sources ?? [];
  const empty = sources
    .filter((source) => Object.values(source).every((member) => member === undefined))
    .map(() => `volume ${quoteGo(name)} (Projected) has no sources provided`);
  return [...empty, ...warn('Projected', sources.flatMap(projectionFiles))];
}

const filesOf = (items: readonly { readonly path: string }[] | undefined, source = '') =>
  (items ?? []).map(({ path }) => ({ path, source }));

function projectionFiles(projection: VolumeProjection): FilePath[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = projection;
  if (configMap?.items)
    return filesOf(configMap.items, `ConfigMap ${quoteGo(configMap.name ?? '')}`);
  if (secret?.items) return filesOf(secret.items, `Secret ${quoteGo(secret.name ?? '')}`);
  if (downwardAPI) return filesOf(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken) return filesOf([serviceAccountToken], 'ServiceAccountToken');
  if (clusterTrustBundle) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '';
    return filesOf([clusterTrustBundle], `ClusterTrustBundle ${quoteGo(name)}`);
  }
  return [];
}

/** Each path that equals, contains or lies below an earlier one. */
function overlaps(files: readonly FilePath[]): string[] {
  const out: string[] = [];
  const seen: FilePath[] = [];
  for (const { path, source } of files) {
    const file = { path: path.replace(/\/+$/, ''), source };
    for (const other of seen) {
      const [a, b] = [`${file.path}/`, `${other.path}/`];
      if (a.startsWith(b) || b.startsWith(a)) out.push(`${describe(file)} with ${describe(other)}`);
    }
    seen.push(file);
  }
  return out;
}

const describe = ({ path, source }: FilePath) =>
  source === '' ? quoteGo(path) : `${quoteGo(path)} (${source})`;
