// The least that a server accepts of every built-in kind that can be created, read and deleted. A
// resource that is missing here fails the tests that go through all of them.

import type { JsonObject, ResourceDefinition } from '@keelson/apimachinery';

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const selector = { matchLabels: { app: 'x' } };
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const capacity = { storage: '1Gi' };
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: capacity } };
const device = { name: 'd', exactly: { deviceClassName: 'class' } };
const policyName = 'policy';
const matchResources = { resourceRules: [matching('deployments', 'apps')] };
const webhook = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://example.com/' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};

function matching(resource: string, group: string): JsonObject {
  return {
    apiGroups: [group],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: [resource],
  };
}

/** A signing request for the user `sample`; its key is gone. */
const signingRequest = [
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZk1JR0ZBZ0VBTUNNeER6QU5CZ05WQkFNTUJu',
  'TmhiWEJzWlRFUU1BNEdBMVVFQ2d3SGMyRnRjR3hsY3pCWgpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJ',
  'QUJFWFdST0pZNVEzeFRBOEErdlIydVNOVEhYMjF5Qi9iClhmM01mNnNRUnZvZitOTEJOUG1qQ0svY0VCUHN1UTdn',
  'YmpNdTh6NGJLSjNNOE9lNFRxWUhpQ21nQURBS0JnZ3EKaGtqT1BRUURBZ05KQURCR0FpRUF0b25SOWc2VVMzUnZ2',
  'Vmh0OGlPbkJmRjJuTTd0SXVJODU0OER5UEREbzlvQwpJUUN1N0J4WjFCWEdIVlp6TGorS1d3MXFPQk83M0xHbWQy',
  'c1Vvdi9BVmlxNFJRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==',
].join('');

/** The same as DER: the stub of a pod's request for a certificate. */
const stubRequest = Buffer.from(signingRequest, 'base64')
  .toString()
  .replace(/-----[A-Z ]+-----|\s/g, '');

/** The certificate of an authority whose key is gone. */
const trustAnchor = [
  'MIIBeDCCAR+gAwIBAgIUE/9m3Eg2aPJEhKjHAH3lSQLCFnAwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGc2FtcGxl',
  'MCAXDTI2MTEyMTA4MzIwN1oYDzIxMjYxMDI4MDgzMjA3WjARMQ8wDQYDVQQDDAZzYW1wbGUwWTATBgcqhkjOPQIB',
  'BggqhkjOPQMBBwNCAAS5heOxk29xu4VLgWOpwOrDZno/O3wEID2o9dMvv85m9jdZLqFlMeF2tQ1wER8xIYeZQCfl',
  '7FZXCWZzMsuOnbkIo1MwUTAdBgNVHQ4EFgQUR2zQFJa4yM3/xDGkQc3grlYITRMwHwYDVR0jBBgwFoAUR2zQFJa4',
  'yM3/xDGkQc3grlYITRMwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiB5Va3i5m8tO94i6zzyKRLC',
  'GQXAkoqYiqAsCRzlUfNXQwIgehkM4Wqm4UZCejOg+ckrloQn5uwq0C0oEmAHMKgX6iM=',
].join('');

type Make = (place: { readonly name: string; readonly namespace: string }) => JsonObject;

/** By `group/resource`, without apiVersion and kind; names that are not free are in the object. */
const contents: Readonly<Record<string, Make>> = {
  '/configmaps': () => ({ data: { a: 'b' } }),
  '/endpoints': () => ({ subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 80 }] }] }),
  '/events': ({ name, namespace }) => ({
    involvedObject: { kind: 'Pod', apiVersion: 'v1', name, namespace },
    reason: 'Reason',
    message: 'text',
    type: 'Normal',
  }),
  '/limitranges': () => ({ spec: { limits: [{ type: 'Container', max: { memory: '9Ti' } }] } }),
  '/namespaces': () => ({}),
  '/nodes': () => ({}),
  '/persistentvolumeclaims': () => ({ spec: claim }),
  '/persistentvolumes': () => ({
    spec: { capacity, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  }),
  '/pods': () => ({ spec: template.spec }),
  '/podtemplates': () => ({ template }),
  '/replicationcontrollers': () => ({ spec: { selector: { app: 'x' }, template } }),
  '/resourcequotas': () => ({ spec: { hard: { configmaps: '1000' } } }),
  '/secrets': () => ({ data: { a: 'Yg==' } }),
  '/serviceaccounts': () => ({}),
  '/services': () => ({ spec: { ports: [{ port: 80 }] } }),
  'apiregistration.k8s.io/apiservices': () => ({
    metadata: { name: 'v1.wire.example.com' },
    spec: {
      group: 'wire.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'absent' },
    },
  }),
  'apps/controllerrevisions': () => ({ revision: 1, data: { spec: { a: [1, 'b'] } } }),
  'apps/daemonsets': () => ({ spec: { selector, template } }),
  'apps/deployments': () => ({ spec: { selector, template } }),
  'apps/replicasets': () => ({ spec: { selector, template } }),
  'apps/statefulsets': () => ({ spec: { serviceName: 's', selector, template } }),
  'events.k8s.io/events': ({ name, namespace }) => ({
    regarding: { kind: 'Pod', apiVersion: 'v1', name, namespace },
    eventTime: '2024-01-02T03:04:05.678901Z',
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    action: 'Act',
    reason: 'Reason',
    type: 'Normal',
  }),
  'autoscaling/horizontalpodautoscalers': () => ({
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    },
  }),
  'batch/cronjobs': () => ({
    spec: {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  }),
  'batch/jobs': () => ({
    spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
  }),
  'certificates.k8s.io/certificatesigningrequests': () => ({
    spec: {
      request: signingRequest,
      signerName: 'example.com/signer',
      usages: ['digital signature'],
    },
  }),
  'certificates.k8s.io/clustertrustbundles': () => ({
    spec: {
      trustBundle: `-----BEGIN CERTIFICATE-----\n${trustAnchor}\n-----END CERTIFICATE-----\n`,
    },
  }),
  'certificates.k8s.io/podcertificaterequests': () => ({
    spec: {
      signerName: 'example.com/signer',
      podName: 'p',
      podUID: 'pu',
      serviceAccountName: 's',
      serviceAccountUID: 'su',
      nodeName: 'n',
      nodeUID: 'nu',
      stubPKCS10Request: stubRequest,
    },
  }),
  'networking.k8s.io/ingressclasses': () => ({ spec: { controller: 'example.com/ingress' } }),
  'networking.k8s.io/ingresses': () => ({
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  }),
  'networking.k8s.io/ipaddresses': () => ({
    metadata: { name: '10.96.7.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } },
  }),
  'networking.k8s.io/networkpolicies': () => ({ spec: { podSelector: {} } }),
  'networking.k8s.io/servicecidrs': () => ({ spec: { cidrs: ['10.200.0.0/24'] } }),
  'policy/poddisruptionbudgets': () => ({ spec: { minAvailable: 1, selector } }),
  'rbac.authorization.k8s.io/clusterrolebindings': () => ({ roleRef }),
  'rbac.authorization.k8s.io/clusterroles': () => ({ rules }),
  'rbac.authorization.k8s.io/rolebindings': () => ({ roleRef }),
  'rbac.authorization.k8s.io/roles': () => ({ rules }),
  'storage.k8s.io/csidrivers': () => ({ spec: {} }),
  'storage.k8s.io/csinodes': () => ({ spec: { drivers: [] } }),
  'storage.k8s.io/csistoragecapacities': () => ({ storageClassName: 'c', capacity: '1Gi' }),
  'storage.k8s.io/storageclasses': () => ({ provisioner: 'example.com/p' }),
  'storage.k8s.io/volumeattachments': () => ({
    spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } },
  }),
  'storage.k8s.io/volumeattributesclasses': () => ({
    driverName: 'example.com',
    parameters: { a: 'b' },
  }),
  'admissionregistration.k8s.io/mutatingadmissionpolicies': () => ({
    spec: {
      reinvocationPolicy: 'Never',
      matchConstraints: matchResources,
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{}}' },
        },
      ],
    },
  }),
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': () => ({ spec: { policyName } }),
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': () => ({ webhooks: [webhook] }),
  'admissionregistration.k8s.io/validatingadmissionpolicies': () => ({
    spec: { matchConstraints: matchResources, validations: [{ expression: 'true' }] },
  }),
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': () => ({
    spec: { policyName, validationActions: ['Deny'] },
  }),
  'admissionregistration.k8s.io/validatingwebhookconfigurations': () => ({ webhooks: [webhook] }),
  'apiextensions.k8s.io/customresourcedefinitions': () => ({
    metadata: { name: 'wires.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'wires', kind: 'Wire' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  }),
  'scheduling.k8s.io/priorityclasses': () => ({ value: 7 }),
  'scheduling.k8s.io/podgroups': () => ({
    spec: { schedulingPolicy: { gang: { minCount: 2 } } },
  }),
  'scheduling.k8s.io/workloads': () => ({
    spec: { podGroupTemplates: [{ name: 't', schedulingPolicy: { basic: {} } }] },
  }),
  'coordination.k8s.io/leasecandidates': () => ({
    spec: {
      leaseName: 'l',
      binaryVersion: '1.36.0',
      emulationVersion: '1.35.0',
      strategy: 'OldestEmulationVersion',
    },
  }),
  'internal.apiserver.k8s.io/storageversions': () => ({
    metadata: { name: 'example.com.wires' },
    spec: {},
  }),
  'storagemigration.k8s.io/storageversionmigrations': () => ({
    spec: { resource: { group: 'apps', resource: 'deployments' } },
  }),
  'coordination.k8s.io/leases': () => ({ spec: { holderIdentity: 'h' } }),
  'node.k8s.io/runtimeclasses': () => ({ handler: 'h' }),
  'discovery.k8s.io/endpointslices': () => ({
    addressType: 'IPv4',
    endpoints: [{ addresses: ['1.2.3.4'] }],
    ports: [{ name: 'p', port: 80 }],
  }),
  'resource.k8s.io/devicetaintrules': () => ({
    spec: { taint: { key: 'example.com/broken', effect: 'NoSchedule' } },
  }),
  'resource.k8s.io/resourcepoolstatusrequests': () => ({ spec: { driver: 'example.com' } }),
  'resource.k8s.io/deviceclasses': () => ({ spec: {} }),
  'resource.k8s.io/resourceclaims': () => ({ spec: { devices: { requests: [device] } } }),
  'resource.k8s.io/resourceclaimtemplates': () => ({
    spec: { spec: { devices: { requests: [device] } } },
  }),
  'resource.k8s.io/resourceslices': () => ({
    spec: {
      driver: 'example.com',
      nodeName: 'n',
      pool: { name: 'p', resourceSliceCount: 1 },
      devices: [{ name: 'd' }],
    },
  }),
  'flowcontrol.apiserver.k8s.io/flowschemas': () => ({
    spec: { priorityLevelConfiguration: { name: 'exempt' } },
  }),
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': () => ({
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  }),
};

/** The object, with apiVersion and kind; undefined for a resource that is not known here. */
export function minimalObject(
  { group, version, resource, kind, namespaced }: ResourceDefinition,
  place: { readonly name: string; readonly namespace: string },
): JsonObject | undefined {
  const content = contents[`${group}/${resource}`]?.(place);
  if (content === undefined) return undefined;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const metadata = {
    name: place.name,
    ...(namespaced ? { namespace: place.namespace } : {}),
    ...(content['metadata'] as JsonObject | undefined),
  };
  return structuredClone({ kind, apiVersion, ...content, metadata });
}

/** Where the objects of a resource are. */
export function collectionPath(
  { group, version, resource, namespaced }: ResourceDefinition,
  namespace: string,
): string {
  const prefix = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced ? `${prefix}/namespaces/${namespace}/${resource}` : `${prefix}/${resource}`;
}
