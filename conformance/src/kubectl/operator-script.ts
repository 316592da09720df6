// What whoever runs a cluster does with it: finds out why a pod does not run, debugs, approves
// certificates, takes nodes out of service, watches what happens. Lines that need nothing of each
// other run side by side.

import type { Script } from './run-script.ts';
import type { Line } from './script.ts';

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: "web:1"
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 100m, memory: 64Mi}}
        readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}
        volumeMounts: [{name: scratch, mountPath: /scratch}]
      volumes: [{name: scratch, emptyDir: {sizeLimit: 1Mi}}]
      tolerations: [{key: dedicated, operator: Exists}]
`;

const container = (more: string) => `{name: main, image: "main:1", ${more}}`;
const broken = (name: string, spec: string, simulate = '') => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, annotations: {${simulate}}}
spec: {${spec}}
---
`;
/** One pod for each way not to run. */
const troubled = [
  broken('unpulled', `containers: [${container('')}]`, 'keelson.dev/simulate-pull: fail'),
  broken('misnamed', 'containers: [{name: main, image: Main}]'),
  broken('unset', `containers: [${container('envFrom: [{secretRef: {name: none}}]')}]`),
  broken(
    'unmounted',
    `containers: [${container('')}], volumes: [{name: v, configMap: {name: none}}]`,
  ),
  broken(
    'root',
    `containers: [${container('securityContext: {runAsNonRoot: true, runAsUser: 0}')}]`,
  ),
  broken(
    'looping',
    `containers: [${container('')}]`,
    'keelson.dev/simulate-run-for: 100ms, keelson.dev/simulate-exit-code: "3"',
  ),
  broken('big', `nodeName: node-1, containers: [${container('resources: {requests: {cpu: 99}}')}]`),
  broken('unplaced', `containers: [${container('resources: {requests: {cpu: 99}}')}]`),
  broken(
    'initial',
    `restartPolicy: Never, containers: [${container('')}], initContainers: [{name: first, image: "first:1"}]`,
    'keelson.dev/simulate-exit-code.first: "4"',
  ),
].join('');

const troubles: Line = [
  { run: 'apply -f -', stdin: troubled, expect: /pod\/initial created/ },
  {
    run: 'wait --for=jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}=3 pod/looping --timeout=30s',
    expect: /condition met/,
  },
  {
    run: 'wait --for=jsonpath={.status.phase}=Failed pod/initial pod/big --timeout=30s',
    expect: /initial condition met[\s\S]*big condition met/,
  },
  {
    run: 'get pods',
    expect:
      /^big +0\/1 +OutOfcpu[\s\S]*^initial +0\/1 +Init:Error[\s\S]*^looping [\s\S]*^misnamed +0\/1 +InvalidImageName[\s\S]*^root +0\/1 +CreateContainerConfigError[\s\S]*^unmounted +0\/1 +ContainerCreating[\s\S]*^unplaced +0\/1 +Pending[\s\S]*^unpulled +0\/1 +(ErrImagePull|ImagePullBackOff)[\s\S]*^unset +0\/1 +CreateContainerConfigError/m,
  },
  {
    run: 'events --types=Warning',
    expect:
      /(?=[\s\S]*OutOfcpu +Pod\/big +Node didn't have enough resource: cpu)(?=[\s\S]*FailedScheduling +Pod\/unplaced +0\/3 nodes are available)(?=[\s\S]*FailedMount +Pod\/unmounted +MountVolume.SetUp failed for volume "v" : configmap "none" not found)(?=[\s\S]*Failed +Pod\/unset +Error: secret "none" not found)(?=[\s\S]*Failed +Pod\/unpulled +Error: ErrImagePull)(?=[\s\S]*InspectFailed +Pod\/misnamed)(?=[\s\S]*Failed +Pod\/root +Error: container's runAsUser breaks non-root policy)/,
  },
  {
    run: 'describe pod looping',
    expect:
      /Last State: +Terminated\n +Reason: +Error\n +Exit Code: +3[\s\S]*Restart Count: +[1-9]/,
  },
  {
    run: 'describe pod big',
    expect: /Status: +Failed\nReason: +OutOfcpu\nMessage: +Pod was rejected: Node didn't have/,
  },
];

const describing: Line = [
  { run: 'apply -f -', stdin: web, expect: /created/ },
  { run: 'wait --for=condition=Available deployment/web --timeout=30s', expect: /condition met/ },
  {
    run: 'describe pod -l app=web',
    expect:
      /Conditions:\n +Type +Status\s+PodReadyToStartContainers +True[\s\S]*EmptyDir[\s\S]*SizeLimit: +1Mi[\s\S]*QoS Class: +Guaranteed[\s\S]*dedicated op=Exists[\s\S]*not-ready:NoExecute op=Exists for 300s[\s\S]*Scheduled[\s\S]*Pulled[\s\S]*Created[\s\S]*Started/,
  },
  { run: 'events --for deployment/web', expect: /ScalingReplicaSet[\s\S]*from 0 to 2/ },
  {
    run: 'describe node',
    cluster: true,
    expect:
      /node-1[\s\S]*MemoryPressure +False[\s\S]*hugepages-2Mi: +0[\s\S]*Allocated resources:[\s\S]*cpu +\d+m? \(\d+%\)[\s\S]*NodeHasSufficientMemory[\s\S]*NodeReady/,
  },
  { run: 'autoscale deployment web --min=2 --max=4 --cpu-percent=80', expect: /autoscaled/ },
  { run: 'get hpa web', expect: /web +Deployment\/web .* +2 +4 / },
  { run: 'top pods --containers', expect: /web-\S+ +web +\d+m +\d+Mi/ },
];

const rollouts: Line = [
  { run: 'create deployment api --image=api:1 --replicas=2', expect: /created/ },
  { run: 'rollout pause deployment/api', expect: /paused/ },
  { run: 'set env deployment/api LEVEL=debug', expect: /env updated/ },
  { run: 'set serviceaccount deployment/api default', expect: /serviceaccount updated/ },
  { run: 'rollout resume deployment/api', expect: /resumed/ },
  { run: 'rollout status deployment/api --timeout=30s', expect: /successfully rolled out/ },
  {
    run: 'rollout history deployment/api --revision=2',
    expect: /Image:\s+api:1[\s\S]*LEVEL:\s+debug/,
  },
  { run: 'rollout undo deployment/api --to-revision=1', expect: /rolled back/ },
  { run: 'scale deployment/api --replicas=1', expect: /scaled/ },
  {
    run: 'wait --for=jsonpath={.status.availableReplicas}=1 deployment/api --timeout=30s',
    expect: /condition met/,
  },
  { run: 'get deployment api --subresource=scale', expect: /DESIRED +AVAILABLE[\s\S]*api +1/ },
];

const debugging: Line = [
  { run: 'run target --image=target:1 --labels=app=target --expose --port=80', expect: /created/ },
  { run: 'wait --for=condition=Ready pod/target --timeout=30s', expect: /condition met/ },
  {
    run: 'debug target --image=tools:1 --copy-to=copy --share-processes -c helper',
    expect: /^(?!.*[Ee]rror)/,
  },
  {
    run: 'wait --for=jsonpath={.status.containerStatuses[1].ready}=true pod/copy --timeout=30s',
    expect: /condition met/,
  },
  {
    run: 'debug node/node-2 --image=tools:1',
    expect: /Creating debugging pod node-debugger-node-2/,
  },
  { run: 'get pods -o wide', expect: /node-debugger-node-2-\S+ .*node-2/ },
  { run: 'delete pod copy --grace-period=0 --force', expect: /force deleted/ },
  { run: 'wait --for=delete pod/copy --timeout=10s', expect: /^$|condition met/ },
];

/** For a key that nobody has, of jane in dev. */
const request =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWU1IOENBUUF3SFRFTk1Bc0dBMVVFQXd3RWFtRnVaVEVNTUFvR0ExVUVDZ3dEWkdWMk1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUV3L3o5SUh0QlZUcW9SaUJ3dHgzN2dGeUdxL3BFdjNTNWpSRmhlU0s3CmxmNHBXZVpYRjJNMWhob0dzdFVMQitiYmh1RjVaYjFKV0ZNR1BTNFpJa00rd0tBQU1Bb0dDQ3FHU000OUJBTUMKQTBrQU1FWUNJUUROSWNqRk9xNU9nMCt3UDA4TlgyeXNPRE9idngyc1c1OTZmZ29ZOWR4SVVBSWhBSlRtenNnZQpZYmUxUlV1L1RGZGJLTjd6d2F6eUQycm56QVIzNS9na2E4U2MKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';
const signing = (name: string) => `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: "${name}"}
spec:
  request: ${request}
  signerName: kubernetes.io/kube-apiserver-client
  expirationSeconds: 3600
  usages: [client auth]
`;

const certificates: Line = [
  {
    run: 'apply -f -',
    stdin: `${signing('${ns}-yes')}---\n${signing('${ns}-no')}`,
    cluster: true,
    expect: /\S+-yes created[\s\S]*\S+-no created/,
  },
  { run: 'certificate approve ${ns}-yes', cluster: true, expect: /approved/ },
  { run: 'certificate deny ${ns}-no', cluster: true, expect: /denied/ },
  {
    run: 'wait --for=condition=Approved csr/${ns}-yes --timeout=10s',
    cluster: true,
    expect: /met/,
  },
  { run: 'get csr ${ns}-no', cluster: true, expect: /kubernetes-admin +60m +Denied/ },
  {
    run: 'describe csr ${ns}-yes',
    cluster: true,
    expect: /Signer: +kubernetes.io\/kube-apiserver-client[\s\S]*Approved[\s\S]*Common Name: +jane/,
  },
  { run: 'delete csr ${ns}-yes ${ns}-no', cluster: true, expect: /deleted[\s\S]*deleted/ },
];

const files: Line = [
  { run: 'apply -k ${fixtures}/kustomization', expect: /configmap\/made-settings-\w+ created/ },
  { run: 'diff -k ${fixtures}/kustomization', expect: /^$/ },
  { run: 'wait --for=condition=Ready pod/made-reader --timeout=30s', expect: /condition met/ },
  {
    run: 'apply -f - --prune -l made=by-kustomize --prune-allowlist=core/v1/ConfigMap',
    stdin:
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: last, labels: {made: by-kustomize}}\n',
    expect: /configmap\/last created[\s\S]*configmap\/made-settings-\w+ pruned/,
  },
  {
    run: 'replace --force -f -',
    stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: last}\ndata: {a: b}\n',
    expect: /"last" deleted[\s\S]*last replaced/,
  },
  {
    run: 'wait --for=create configmap/last --timeout=10s',
    expect: /condition met/,
    since: 31,
  },
];

/** Changes nodes, so it has them for itself. */
const maintenance: Line = [
  { run: 'taint node node-3 dedicated=${ns}:NoSchedule', cluster: true, expect: /tainted/ },
  { run: 'describe node node-3', cluster: true, expect: /Taints: +dedicated=\S+:NoSchedule/ },
  { run: 'taint node node-3 dedicated-', cluster: true, expect: /untainted/ },
  { run: 'cordon node-3', cluster: true, expect: /cordoned/ },
  { run: 'get node node-3', cluster: true, expect: /Ready,SchedulingDisabled/ },
  { run: 'uncordon node-3', cluster: true, expect: /uncordoned/ },
  { run: 'cluster-info dump --namespaces=${ns}', cluster: true, expect: /"kind": "PodList"/ },
];

export const operatorScript: Script = [
  { run: 'create namespace ${ns}', cluster: true, expect: /created/ },
  { together: [troubles, describing, rollouts, debugging, certificates, files] },
  ...maintenance,
  { run: 'delete namespace ${ns} --wait=false', cluster: true, expect: /deleted/ },
];
