// A small cluster at work: what is declared runs, rolls, scales, moves and comes back. On three
// simulated nodes.

import type { Step } from './script.ts';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {keelson.dev/simulate-cpu-usage: 90m}
    spec:
      containers:
      - {name: app, image: "app:1", resources: {requests: {cpu: 100m}}}
`;
const statefulSet = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: "\${ns}"}
provisioner: disk.simulated.keelson.dev
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: "\${ns}", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
const daemonSet = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
`;
/** Twice the wanted usage of the container: the scale is doubled, up to its maximum. */
const autoscaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 3
  metrics:
  - type: ContainerResource
    containerResource: {name: cpu, container: app, target: {type: Utilization, averageUtilization: 45}}
`;
const budget = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
`;
const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {}, policyTypes: [Ingress]}
`;

export const clusterScript: readonly Step[] = [
  { run: 'create namespace ${ns}', cluster: true, expect: /created/ },

  { run: 'apply -f -', stdin: deployment, expect: /created/ },
  { run: 'rollout status deployment/web --timeout=60s', expect: /successfully rolled out/ },
  { run: 'set image deployment/web app=app:2', expect: /image updated/ },
  { run: 'rollout status deployment/web --timeout=60s', expect: /successfully rolled out/ },
  { run: 'rollout undo deployment/web', expect: /rolled back/ },
  { run: 'rollout status deployment/web --timeout=60s', expect: /successfully rolled out/ },
  {
    run: 'get deployment web -o jsonpath={.spec.template.spec.containers[0].image}',
    expect: /^app:1$/,
  },
  { run: 'rollout history deployment/web', expect: /2[\s\S]*3/ },
  { run: 'expose deployment web --port=80', expect: /exposed/ },
  { run: 'get endpointslices -l kubernetes.io/service-name=web', expect: /10\.\d+\.\d+\.\d+/ },
  { run: 'create ingress front --rule=example.com/*=web:80', expect: /created/ },
  { run: 'apply -f -', stdin: policy, expect: /created/ },

  { run: 'apply -f -', stdin: statefulSet, expect: /statefulset.apps\/db created/ },
  { run: 'rollout status statefulset/db --timeout=60s', expect: /complete/ },
  { run: 'get pvc data-db-1', expect: /Bound/ },
  { run: 'apply -f -', stdin: daemonSet, expect: /created/ },
  { run: 'rollout status daemonset/agent --timeout=60s', expect: /successfully rolled out/ },
  { run: 'get pods -l app=agent -o name', expect: /(pod\/agent.*\s*){3}/ },

  { run: 'create job once --image=task:1', expect: /created/ },
  { run: 'wait --for=condition=complete job/once --timeout=60s', expect: /condition met/ },
  {
    run: 'create cronjob tick --image=task:1 --schedule=0_0_1_1_*',
    expect: /invalid/i,
    fails: true,
  },
  { run: 'create cronjob tick --image=task:1 --schedule=@yearly', expect: /created/ },
  { run: 'create job now --from=cronjob/tick', expect: /created/ },
  { run: 'wait --for=condition=complete job/now --timeout=60s', expect: /condition met/ },

  { run: 'apply -f -', stdin: autoscaler, expect: /created/ },
  {
    run: 'wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=60s',
    expect: /condition met/,
  },
  { run: 'describe hpa web', expect: /SuccessfulRescale/ },

  { run: 'apply -f -', stdin: budget, expect: /created/ },
  {
    run: 'drain node-2 --ignore-daemonsets --delete-emptydir-data --force --timeout=60s',
    cluster: true,
    expect: /node-2 (drained|evicted)/,
  },
  { run: 'get pods -o wide --field-selector=spec.nodeName=node-2', expect: /agent/ },
  { run: 'get pods -l app=web -o wide', expect: /^(?![\s\S]*node-2)/ },
  { run: 'uncordon node-2', cluster: true, expect: /uncordoned/ },
  { run: 'rollout status deployment/web --timeout=60s', expect: /successfully rolled out/ },
  { run: 'delete namespace ${ns} --timeout=60s', cluster: true, expect: /deleted/ },
  { run: 'delete storageclass ${ns}', cluster: true, expect: /deleted/ },
];

/** Takes a minute, so it is run with one kubectl. */
export const nodeDeathScript: readonly Step[] = [
  { run: 'annotate node node-3 keelson.dev/simulate=stopped', cluster: true, expect: /annotated?/ },
  { run: 'get nodes --watch --request-timeout=30s', cluster: true, expect: /node-3/ },
  {
    run: 'wait --for=condition=Ready=Unknown node/node-3 --timeout=55s',
    cluster: true,
    expect: /condition met/,
  },
  { run: 'get node node-3', cluster: true, expect: /NotReady/ },
  {
    run: 'wait --for=jsonpath={.spec.taints[0].key}=node.kubernetes.io/unreachable node/node-3 --timeout=30s',
    cluster: true,
    expect: /condition met/,
  },
  { run: 'annotate node node-3 keelson.dev/simulate-', cluster: true, expect: /annotated?/ },
  {
    run: 'wait --for=condition=Ready node/node-3 --timeout=55s',
    cluster: true,
    expect: /condition met/,
  },
];
