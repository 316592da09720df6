// Which images a node has. All that was pulled stays; sizes and digests are made up from the name,
// so that they are the same on every node.

import { parseImageReference } from '@keelson/apimachinery';
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
  /** By their names in full: `nginx` is `docker.io/library/nginx:latest`. */
  const images = new Set<string>();
  return {
    has: (image) => images.has(nameOf(image)),
    add(image) {
      const [oldest] = images;
      if (images.size >= imagesMax && oldest !== undefined) images.delete(oldest);
      images.add(nameOf(image));
    },
    sizeOf,
    nameOf,
    idOf,
    listed: () =>
      [...images]
        .map((image) => ({
          names: [...new Set([idOf(image), image])],
          sizeBytes: sizeOf(image),
        }))
        .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
        .slice(0, listedMax),
  };
}

function nameOf(image: string): string {
  const found = parseImageReference(image);
  if (found === undefined) return image;
  return found.tag === undefined ? `${found.name}@${found.digest}` : `${found.name}:${found.tag}`;
}

function idOf(image: string): string {
  const { name = image, digest = `sha256:${digestOf(nameOf(image))}` } =
    parseImageReference(image) ?? {};
  return `${name}@${digest}`;
}

function sizeOf(image: string): number {
  return 1_000_000 + (hashOf(nameOf(image)) % 200_000_000);
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
