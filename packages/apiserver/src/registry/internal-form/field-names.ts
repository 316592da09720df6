// Where the Go structs of Kubernetes' internal API differ from those of the versioned one. Most
// field names are the JSON name with a capital; the rest stands here.

/** Go names of JSON fields, wherever they stand. */
const commonNames: Readonly<Record<string, string>> = {
  apiGroup: 'APIGroup',
  apiVersion: 'APIVersion',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  cel: 'CEL',
  cephfs: 'CephFS',
  csi: 'CSI',
  dnsConfig: 'DNSConfig',
  dnsPolicy: 'DNSPolicy',
  fc: 'FC',
  fsGroup: 'FSGroup',
  fsGroupChangePolicy: 'FSGroupChangePolicy',
  fsType: 'FSType',
  gcePersistentDisk: 'GCEPersistentDisk',
  gmsaCredentialSpec: 'GMSACredentialSpec',
  gmsaCredentialSpecName: 'GMSACredentialSpecName',
  grpc: 'GRPC',
  httpGet: 'HTTPGet',
  httpHeaders: 'HTTPHeaders',
  ip: 'IP',
  iqn: 'IQN',
  iscsi: 'ISCSI',
  iscsiInterface: 'ISCSIInterface',
  nfs: 'NFS',
  os: 'OS',
  pdName: 'PDName',
  rbd: 'RBD',
  seLinuxChangePolicy: 'SELinuxChangePolicy',
  seLinuxOptions: 'SELinuxOptions',
  sslEnabled: 'SSLEnabled',
  storageos: 'StorageOS',
  tcpSocket: 'TCPSocket',
  tty: 'TTY',
  ttlSecondsAfterFinished: 'TTLSecondsAfterFinished',
  uid: 'UID',
  wwids: 'WWIDs',
};

/** By struct of the versioned API: names that differ from the common ones. */
const ownNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AzureDiskVolumeSource: { diskURI: 'DataDiskURI' },
  GlusterfsPersistentVolumeSource: { endpoints: 'EndpointsName' },
  GlusterfsVolumeSource: { endpoints: 'EndpointsName' },
  ISCSIVolumeSource: {
    chapAuthDiscovery: 'DiscoveryCHAPAuth',
    chapAuthSession: 'SessionCHAPAuth',
  },
  ISCSIPersistentVolumeSource: {
    chapAuthDiscovery: 'DiscoveryCHAPAuth',
    chapAuthSession: 'SessionCHAPAuth',
  },
  RBDVolumeSource: {
    monitors: 'CephMonitors',
    image: 'RBDImage',
    pool: 'RBDPool',
    user: 'RadosUser',
  },
  RBDPersistentVolumeSource: {
    monitors: 'CephMonitors',
    image: 'RBDImage',
    pool: 'RBDPool',
    user: 'RadosUser',
  },
};

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** By struct: the order of the fields (JSON names) where it is not that of the versioned struct. */
const ownOrders: Readonly<Record<string, readonly string[]>> = {
  PodSpec: words(`
    volumes initContainers containers ephemeralContainers restartPolicy
    terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName
    automountServiceAccountToken nodeName securityContext imagePullSecrets hostname subdomain
    setHostnameAsFQDN affinity schedulerName tolerations hostAliases priorityClassName priority
    preemptionPolicy dnsConfig readinessGates runtimeClassName overhead enableServiceLinks
    topologySpreadConstraints os schedulingGates resourceClaims resources hostnameOverride
    schedulingGroup`),
  PodSecurityContext: words(`
    hostNetwork hostPID hostIPC shareProcessNamespace hostUsers seLinuxOptions windowsOptions
    runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup
    fsGroupChangePolicy sysctls seccompProfile appArmorProfile seLinuxChangePolicy`),
  PersistentVolumeClaimSpec: words(`
    accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef
    volumeAttributesClassName`),
  Volume: words(`
    name hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs
    persistentVolumeClaim rbd quobyte flexVolume cinder cephfs flocker downwardAPI fc azureFile
    configMap vsphereVolume azureDisk photonPersistentDisk projected portworxVolume scaleIO
    storageos csi ephemeral image`),
};

export function goFieldName(structName: string, jsonName: string): string {
  return (
    ownNames[structName]?.[jsonName] ??
    commonNames[jsonName] ??
    jsonName.charAt(0).toUpperCase() + jsonName.slice(1)
  );
}

export function internalOrder(structName: string): readonly string[] | undefined {
  return ownOrders[structName];
}

/** Fields of a pod that the internal API keeps in its security context, with what absent means. */
export const hostFields: Readonly<Record<string, boolean | null>> = {
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  shareProcessNamespace: null,
  hostUsers: null,
};
