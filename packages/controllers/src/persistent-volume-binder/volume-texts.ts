// Names and texts that provisioners, the scheduler and people share with the binder.

export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
export const selectedNode = 'volume.kubernetes.io/selected-node';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
export const defaultClass = 'storageclass.kubernetes.io/is-default-class';
export const betaDefaultClass = 'storageclass.beta.kubernetes.io/is-default-class';

/** In-tree provisioners that CSI drivers have taken over. */
const migrated: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
};

/** Who makes volumes of the provisioner; undefined when nobody does. */
export function externalProvisioner(provisioner: string): string | undefined {
  if (!provisioner.startsWith('kubernetes.io/')) return provisioner;
  return migrated[provisioner];
}

export function waitingForProvisioner(provisioner: string): string {
  return (
    'Waiting for a volume to be created either by the external provisioner ' +
    `'${provisioner}' or manually by the system administrator. If volume creation is delayed, ` +
    'please verify that the provisioner is running and correctly registered.'
  );
}
