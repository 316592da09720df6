// Which images a node has. All that was pulled stays; sizes and digests are made up from the name,
// so that they are the same on every node.

import type { ContainerImage } from '@keelson/apimachinery/types/core.v1';
import type { NodeImages } from './node-surroundings.ts';

export interface ImageStore extends NodeImages {
  /** At most fifty, the largest first, as node status has them. */
  listed(): ContainerImage[];
}

const listedMax = 50;
/** Forgotten beyond it, the oldest first. */
const imagesMax = 1_000;

export function createImageStore(): ImageStore {
  const images = new Set<string>();
  return {
    has: (image) => images.has(image),
    add(image) {
      const [oldest] = images;
      if (images.size >= imagesMax && oldest !== undefined) images.delete(oldest);
      images.add(image);
    },
    sizeOf,
    idOf: (image) =>
      `${image.replace(/@.*$/, '').replace(/:[^/]*$/, '')}@sha256:${digestOf(image)}`,
    listed: () =>
      [...images]
        .map((image) => ({ names: [image], sizeBytes: sizeOf(image) }))
        .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
        .slice(0, listedMax),
  };
}

function sizeOf(image: string): number {
  return 1_000_000 + (hashOf(image) % 200_000_000);
}

function digestOf(image: string): string {
  return Array.from({ length: 8 }, (_, part) =>
    hashOf(`${part}/${image}`).toString(16).padStart(8, '0'),
  ).join('');
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
