// For which audiences does a pod need tokens? Those of its projected volumes, and those that the
// CSI drivers of its volumes ask for: inline, by claim, by an ephemeral claim, and for the volume
// types of old that a driver has taken over.

import { quoteGo, type KubeObject } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { asKind } from '../../request-match.ts';
import type { NodeRestrictionDependencies } from './request.ts';

type Sources = Pick<
  NodeRestrictionDependencies,
  'persistentVolumeClaims' | 'persistentVolumes' | 'csiDrivers'
>;

/** Drivers of volume types that were once part of Kubernetes. */
const migratedDrivers: Readonly<Record<string, string>> = {
  awsElasticBlockStore: 'ebs.csi.aws.com',
  azureDisk: 'disk.csi.azure.com',
  azureFile: 'file.csi.azure.com',
  cinder: 'cinder.csi.openstack.org',
  gcePersistentDisk: 'pd.csi.storage.gke.io',
  portworxVolume: 'pxd.portworx.com',
  vsphereVolume: 'csi.vsphere.vmware.com',
};

/** Whether a volume names the audience. What could not be looked up matters only when none does. */
export function audienceInPod(
  object: KubeObject,
  audience: string,
  sources: Sources,
): { readonly found: boolean; readonly problem?: string } {
  const { metadata, spec } = asKind<Pod>(object);
  const namespace = metadata.namespace ?? '';
  const problems: string[] = [];
  for (const volume of spec?.volumes ?? []) {
    if (projectedAudiences(volume).includes(audience)) return { found: true };
    const driver = driverOf(volume, { namespace, podName: metadata.name ?? '' }, sources);
    if (typeof driver === 'object') problems.push(driver.problem);
    else if (driver !== undefined && driverAudiences(driver, sources).includes(audience))
      return { found: true };
  }
  const problem = problems.length > 1 ? `[${problems.join(', ')}]` : problems[0];
  return problem === undefined ? { found: false } : { found: false, problem };
}

function projectedAudiences(volume: Volume): string[] {
  return (volume.projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
    serviceAccountToken === undefined ? [] : [serviceAccountToken.audience ?? ''],
  );
}

function driverAudiences(name: string, { csiDrivers }: Sources): string[] {
  const driver = csiDrivers.get('', name);
  if (driver === undefined) return [];
  const { spec } = asKind<CSIDriver>(driver);
  return (spec?.tokenRequests ?? []).map((request) => request.audience ?? '');
}

/** The driver of a volume, if one has to do with it, or why it cannot be told. */
function driverOf(
  volume: Volume,
  pod: { readonly namespace: string; readonly podName: string },
  sources: Sources,
): string | undefined | { readonly problem: string } {
  if (volume.csi) return volume.csi.driver;
  const claimName =
    volume.persistentVolumeClaim?.claimName ??
    (volume.ephemeral ? `${pod.podName}-${volume.name}` : undefined);
  if (claimName === undefined) return migratedDriver(volume);
  const claim = sources.persistentVolumeClaims.get(pod.namespace, claimName);
  if (claim === undefined)
    return { problem: `persistentvolumeclaim ${quoteGo(claimName)} not found` };
  const volumeName = asKind<PersistentVolumeClaim>(claim).spec?.volumeName;
  if (!volumeName) return undefined;
  const found = sources.persistentVolumes.get('', volumeName);
  if (found === undefined) return { problem: `persistentvolume ${quoteGo(volumeName)} not found` };
  const { spec } = asKind<PersistentVolume>(found);
  return spec?.csi?.driver ?? migratedDriver(spec ?? {});
}

function migratedDriver(source: object): string | undefined {
  for (const [key, value] of Object.entries(source))
    if (value && Object.hasOwn(migratedDrivers, key)) return migratedDrivers[key];
  return undefined;
}
