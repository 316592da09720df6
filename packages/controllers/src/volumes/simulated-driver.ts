// The storage driver that Keelson plays: volumes that exist as objects only.

/** The provisioner of StorageClasses, and the driver of volumes. */
export const simulatedDriver = 'disk.simulated.keelson.dev';

/**
 * Of a StorageClass, and of the volumes made for it: they become no larger than this quantity, and
 * asking for more fails, as it does where a device has an end.
 */
export const maximumSize = 'maximumSize';
