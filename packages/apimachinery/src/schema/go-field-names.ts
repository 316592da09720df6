// The names that the fields of Kubernetes' Go structs have. They show where a struct is printed as
// Go prints it: in errors that repeat a value, and in the text that controllers hash. Most are the
// JSON name with a capital; the rest stands here.

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
  metadata: 'ObjectMeta',
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

/** By struct: names that differ from the common ones. */
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
  PodSpec: { serviceAccount: 'DeprecatedServiceAccount' },
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

export function goFieldName(structName: string, jsonName: string): string {
  return (
    ownNames[structName]?.[jsonName] ??
    commonNames[jsonName] ??
    jsonName.charAt(0).toUpperCase() + jsonName.slice(1)
  );
}
