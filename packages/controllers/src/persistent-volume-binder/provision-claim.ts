// A claim for which there is no volume is left to the provisioner of its class, which finds its name
// at the claim. Plugins in the tree make no volumes: the claim is told why not.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { tellClaim, type BinderTools } from './binder-tools.ts';
import { isInTree, migratedTo, provisionerProblem } from './in-tree-plugins.ts';
import { classOf } from './match-volume.ts';
import {
  betaStorageProvisioner,
  storageProvisioner,
  waitingForProvisioner,
} from './volume-texts.ts';

export async function provision(tools: BinderTools, claim: PersistentVolumeClaim): Promise<void> {
  const name = classOf(claim);
  const storageClass = tools.classes.store.get('', name);
  const failed = (message: string) =>
    tellClaim(tools, claim, { type: 'Warning', reason: 'ProvisioningFailed', message });
  if (storageClass === undefined)
    return failed(`storageclass.storage.k8s.io ${JSON.stringify(name)} not found`);
  const driver = migratedTo(storageClass.provisioner);
  const provisioner = driver ?? storageClass.provisioner;
  if (driver !== undefined || !isInTree(provisioner)) {
    await nameProvisioner(tools, claim, provisioner);
    const message = waitingForProvisioner(provisioner);
    return tellClaim(tools, claim, { type: 'Normal', reason: 'ExternalProvisioning', message });
  }
  const problem = provisionerProblem(provisioner);
  if (problem !== undefined) return failed(problem);
  const plugin = JSON.stringify(provisioner);
  if (claim.spec?.dataSource !== undefined)
    return failed(
      `plugin ${plugin} is not a CSI plugin. Only CSI plugin can provision a claim with a datasource`,
    );
  await nameProvisioner(tools, claim, provisioner);
  failed(mountProblem(storageClass) ?? disabled(plugin));
}

const disabled = (plugin: string) =>
  `Failed to create provisioner: provisioning in volume plugin ${plugin} is disabled`;

function mountProblem({ metadata, mountOptions = [] }: StorageClass): string | undefined {
  if (mountOptions.length === 0) return undefined;
  return (
    'Mount options are not supported by the provisioner but StorageClass ' +
    `${JSON.stringify(metadata.name)} has mount options [${mountOptions.join(' ')}]`
  );
}

async function nameProvisioner(
  { context }: BinderTools,
  claim: PersistentVolumeClaim,
  provisioner: string,
): Promise<void> {
  const { annotations = {}, namespace = '' } = claim.metadata;
  if (annotations[storageProvisioner] === provisioner) return;
  const names = { [storageProvisioner]: provisioner, [betaStorageProvisioner]: provisioner };
  const metadata = { ...claim.metadata, annotations: { ...annotations, ...names } };
  await context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(namespace)
    .update({ ...claim, metadata });
}
