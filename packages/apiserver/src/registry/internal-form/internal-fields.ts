// Where the structs of Kubernetes' internal API differ from those of the versioned one: in the order
// of their fields, and in where a pod keeps what it shares with its host.

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
