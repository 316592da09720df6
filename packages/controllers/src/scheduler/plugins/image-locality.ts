// Prefers nodes that have the images already: large ones, and those that many nodes have, so that
// not everything goes to the one node that pulled first.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { scoreMax, type SchedulerPlugin } from '../framework.ts';

const name = 'ImageLocality';
const megabyte = 1024 * 1024;
/** Below 23 MB pulling is no matter; above 1 GB an image more makes no difference. */
const sizeMin = 23 * megabyte;
const sizeMaxPerImage = 1000 * megabyte;

export function createImageLocality(): SchedulerPlugin {
  return {
    name,
    weight: 1,
    score({ pod: { spec } }, nodes, cluster) {
      const all = imagesOf(spec);
      const images = all
        .map(withTag)
        .map((image) => ({ image, spread: cluster.nodesWithImage(image) / cluster.nodes.length }))
        .filter(({ spread }) => spread > 0);
      if (images.length === 0) return undefined;
      const sizeMax = sizeMaxPerImage * all.length;
      return Float64Array.from(nodes, (node) => {
        let sum = 0;
        for (const { image, spread } of images)
          sum += Math.floor((node.images.get(image) ?? 0) * spread);
        const size = Math.min(Math.max(sum, sizeMin), sizeMax);
        return Math.floor((scoreMax * (size - sizeMin)) / (sizeMax - sizeMin));
      });
    },
    mayHelp: () => false,
  };
}

/** Those of containers, and those that are volumes (KEP-4639). */
function imagesOf({ initContainers = [], containers, volumes = [] }: Pod['spec']): string[] {
  return [
    ...[...initContainers, ...(containers ?? [])].map(({ image = '' }) => image),
    ...volumes.flatMap(({ image }) => image?.reference ?? []),
  ];
}

function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
