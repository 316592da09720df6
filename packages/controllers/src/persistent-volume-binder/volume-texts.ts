// Names and texts that provisioners, the scheduler and people share with the binder.

export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
export const migratedToAnnotation = 'pv.kubernetes.io/migrated-to';
export const selectedNode = 'volume.kubernetes.io/selected-node';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
export const defaultClass = 'storageclass.kubernetes.io/is-default-class';
export const betaDefaultClass = 'storageclass.beta.kubernetes.io/is-default-class';
/** How large the file system of a volume was that has been made larger. */
export const preResizeCapacity = 'volume.alpha.kubernetes.io/pre-resize-capacity';

/** Of volumes that a plugin in the tree made, so that they are not forgotten before it cleans up. */
export const inTreeFinalizer = 'kubernetes.io/pv-controller';
/** The same of volumes that somebody else made. */
export const provisionerFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer';

export function waitingForProvisioner(provisioner: string): string {
  return (
    'Waiting for a volume to be created either by the external provisioner ' +
    `'${provisioner}' or manually by the system administrator. If volume creation is delayed, ` +
    'please verify that the provisioner is running and correctly registered.'
  );
}
