// The storage driver that Keelson plays: volumes that exist as objects only.

import { isLarger } from './claim-sizes.ts';

/** The provisioner of StorageClasses, and the driver of volumes. */
export const simulatedDriver = 'disk.simulated.keelson.dev';

/**
 * Of a StorageClass, and of the volumes made for it: they become no larger than this quantity, and
 * asking for more fails, as it does where a device has an end.
 */
export const maximumSize = 'maximumSize';

/** What the driver says to a size that is larger than the maximum. */
export function tooLarge(size: string, most: string): string | undefined {
  if (!isLarger(size, most)) return undefined;
  return `rpc error: code = OutOfRange desc = requested size ${size} is larger than the maximum ${most}`;
}
