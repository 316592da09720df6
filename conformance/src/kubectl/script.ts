// What people do with kubectl on a day, as a table: over eighty commands on more than twenty-five
// kinds. Each step says what must come back. `${ns}` is the namespace of the run.

export interface Step {
  /**
   * Words of the command line; `${ns}` and `${dir}` are replaced. The namespace is passed unless
   * `cluster` is set.
   */
  readonly run: string;
  readonly stdin?: string;
  /** What standard output (or, when `fails`, standard error) must match. */
  readonly expect: RegExp;
  readonly fails?: true;
  /** Exit codes other than 0 and 1. */
  readonly exitCode?: number;
  /** Not namespaced. */
  readonly cluster?: true;
  /** Environment, such as EDITOR. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The command forwards a port and goes on: what is asked of it, as a path of HTTP, or, when
   * empty, what it says by itself. The answer is the output, and the command is stopped.
   */
  readonly forwarded?: string;
  /** Oldest kubectl minor that knows the command. */
  readonly since?: number;
}

/** Steps that need each other, in order. */
export type Line = readonly Step[];

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "registry.example/web:1", ports: [{containerPort: 80}]}
`;
const many = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: teal}
---
apiVersion: v1
kind: Secret
metadata: {name: creds}
stringData: {user: admin}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "@daily"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "registry.example/job:1"}]}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaler}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {cpu: "4"}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {configmaps: "50"}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "registry.example/db:1"}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: a, image: "registry.example/a:1"}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: manual}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1]}]
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: leader}
spec: {holderIdentity: me}
`;
const pod = `apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
# Nobody places it.
spec: {schedulerName: none, containers: [{name: main, image: "registry.example/main:1"}]}
`;
const privileged = `apiVersion: v1
kind: Pod
metadata: {name: bad}
spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}
`;

/** In order: later steps use what earlier ones made. */
export const script: readonly Step[] = [
  { run: 'version -o json', expect: /"serverVersion"[\s\S]*"minor": "36"/, cluster: true },
  { run: 'cluster-info', expect: /control plane.*is running at/, cluster: true },
  {
    run: 'api-resources',
    expect: /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/,
    cluster: true,
  },
  { run: 'api-resources --namespaced=false -o name', expect: /^nodes$/m, cluster: true },
  { run: 'api-versions', expect: /^apps\/v1$/m, cluster: true },
  { run: 'get --raw /readyz', expect: /^ok$/, cluster: true },
  { run: 'get --raw /livez?verbose', expect: /livez check passed/, cluster: true },
  { run: 'create namespace ${ns}', expect: /namespace\/\S+ created/, cluster: true },
  { run: 'get namespace ${ns}', expect: /Active/, cluster: true },
  {
    run: 'wait namespace/${ns} --for=jsonpath={.status.phase}=Active --timeout=10s',
    expect: /condition met/,
    cluster: true,
  },
  { run: 'apply -f -', stdin: deployment, expect: /deployment.apps\/web created/ },
  { run: 'apply -f -', stdin: deployment, expect: /deployment.apps\/web unchanged/ },
  {
    run: 'apply -f - --validate=strict',
    stdin: deployment.replace('replicas: 2', 'replicaz: 2'),
    expect: /unknown field "spec.replicaz"/,
    fails: true,
  },
  {
    run: 'diff -f -',
    stdin: deployment.replace('replicas: 2', 'replicas: 3'),
    expect: /\+\s*replicas: 3/,
    exitCode: 1,
  },
  {
    run: 'apply -f -',
    stdin: deployment.replace('replicas: 2', 'replicas: 3'),
    expect: /configured/,
  },
  {
    run: 'apply --server-side --force-conflicts -f -',
    stdin: deployment,
    expect: /serverside-applied/,
  },
  {
    run: 'apply --server-side --field-manager=other -f -',
    stdin: deployment.replace('web:1', 'web:9'),
    expect: /conflict/,
    fails: true,
  },
  { run: 'get deployment web', expect: /web\s+[0-2]\/2/ },
  { run: 'get deployment web -o wide', expect: /registry.example\/web:1/ },
  { run: 'get deployment web -o name', expect: /^deployment.apps\/web$/ },
  { run: 'get deployment web -o json', expect: /"kind": "Deployment"/ },
  { run: 'get deployment web -o yaml', expect: /^kind: Deployment$/m },
  { run: 'get deployment web -o yaml --show-managed-fields', expect: /managedFields:/ },
  { run: 'get deployment web -o jsonpath={.spec.replicas}', expect: /^2$/ },
  {
    run: 'get deployment web -o custom-columns=N:.metadata.name,R:.spec.replicas',
    expect: /web\s+2/,
  },
  { run: 'get deployment web -o go-template={{.metadata.name}}', expect: /^web$/ },
  { run: 'get deployments --show-labels', expect: /app=web/ },
  { run: 'get deployments -l app=web', expect: /web/ },
  { run: 'get deployments --field-selector metadata.name=web', expect: /web/ },
  { run: 'get deployments --sort-by=.metadata.name', expect: /web/ },
  { run: 'describe deployment web', expect: /Replicas:\s+2 desired/ },
  { run: 'apply -f -', stdin: many, expect: /lease.coordination.k8s.io\/leader created/ },
  { run: 'get all', expect: /service\/web[\s\S]*statefulset.apps\/db/ },
  {
    run: 'get cm,secret,svc,pvc,cronjob,netpol,ing,pdb,hpa,limits,quota,sts,ds,endpointslices,leases',
    expect: /leader/,
  },
  { run: 'describe configmap settings', expect: /color:[\s\S]*teal/ },
  { run: 'describe secret creds', expect: /user:\s+5 bytes/ },
  { run: 'describe service web', expect: /Port:.*80\/TCP/ },
  { run: 'describe pvc disk', expect: /Status:\s+Pending/ },
  { run: 'describe cronjob nightly', expect: /Schedule:\s+@daily/ },
  { run: 'describe networkpolicy deny', expect: /Policy Types: Ingress/ },
  { run: 'describe ingress front', expect: /Default backend:\s+web:80/ },
  { run: 'describe pdb budget', expect: /Min available:\s+1/ },
  { run: 'describe hpa scaler', expect: /Deployment\/web/ },
  { run: 'describe limitrange limits', expect: /Container/ },
  { run: 'describe quota quota', expect: /Resource\s+Used\s+Hard/ },
  { run: 'describe statefulset db', expect: /Name:\s+db/ },
  { run: 'describe daemonset agent', expect: /Name:\s+agent/ },
  { run: 'create configmap extra --from-literal=a=b', expect: /configmap\/extra created/ },
  { run: 'create secret generic token --from-literal=k=v', expect: /secret\/token created/ },
  { run: 'create serviceaccount robot', expect: /serviceaccount\/robot created/ },
  { run: 'create token robot --duration=10m', expect: /^eyJ/ },
  { run: 'create role reader --verb=get,list --resource=pods', expect: /role.*\/reader created/ },
  {
    run: 'create rolebinding readers --role=reader --serviceaccount=${ns}:robot',
    expect: /rolebinding.*\/readers created/,
  },
  { run: 'auth can-i list pods --as=system:serviceaccount:${ns}:robot', expect: /^yes$/ },
  {
    run: 'auth can-i delete pods --as=system:serviceaccount:${ns}:robot',
    expect: /^no$/,
    exitCode: 1,
  },
  { run: 'auth can-i --list --as=system:serviceaccount:${ns}:robot', expect: /pods\s/ },
  {
    run: 'get secrets --as=system:serviceaccount:${ns}:robot',
    expect:
      /secrets is forbidden: User "system:serviceaccount:\S+:robot" cannot list resource "secrets" in API group "" in the namespace/,
    fails: true,
  },
  { run: 'auth whoami', expect: /kubernetes-admin/, cluster: true, since: 28 },
  {
    run: 'auth reconcile -f -',
    stdin:
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: ${ns}}\nrules: [{apiGroups: [""], resources: [pods, services], verbs: [get, list]}]\n',
    expect: /reconciled/,
  },
  { run: 'apply -f -', stdin: pod, expect: /pod\/one created/ },
  { run: 'get pod one', expect: /one\s+0\/1\s+Pending/ },
  { run: 'describe pod one', expect: /Status:\s+Pending/ },
  { run: 'label pod one tier=front', expect: /labeled/ },
  { run: 'label pod one tier=back', expect: /--overwrite is false/, fails: true },
  { run: 'annotate pod one note=hello', expect: /annotated?/ },
  { run: 'logs one', expect: /^$/ },
  { run: 'exec one -- ls', expect: /does not have a host assigned/, fails: true },
  { run: 'patch deployment web --type=merge -p {"spec":{"paused":true}}', expect: /patched/ },
  {
    run: 'patch deployment web --type=json -p [{"op":"remove","path":"/spec/paused"}]',
    expect: /patched/,
  },
  {
    run: 'patch deployment web -p {"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}',
    expect: /patched/,
  },
  {
    // The controller has no other opinion of this one.
    run: 'patch deployment web --subresource=status --type=merge -p {"status":{"collisionCount":0}}',
    expect: /patched/,
  },
  { run: 'set image deployment/web web=registry.example/web:2', expect: /image updated/ },
  { run: 'set env deployment/web B=2', expect: /env updated/ },
  {
    run: 'set resources deployment/web --limits=cpu=200m,memory=64Mi',
    expect: /resource requirements updated/,
  },
  { run: 'scale deployment web --replicas=4', expect: /scaled/ },
  {
    run: 'scale deployment web --replicas=5 --current-replicas=1',
    expect: /Expected replicas to be 1/,
    fails: true,
  },
  {
    // Whether it is done depends on what others left of the nodes.
    run: 'rollout status deployment/web --watch=false',
    expect: /Waiting for deployment|successfully rolled out/,
  },
  { run: 'rollout history deployment/web', expect: /deployment.apps\/web/ },
  { run: 'rollout restart deployment/web', expect: /restarted/ },
  {
    run: 'edit configmap settings',
    env: { EDITOR: 'sed -i s/teal/plum/' },
    expect: /configmap\/settings edited/,
  },
  { run: 'get configmap settings -o jsonpath={.data.color}', expect: /^plum$/ },
  {
    run: 'replace -f -',
    stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n',
    expect: /replaced/,
  },
  { run: 'expose deployment web --name=again --port=80', expect: /service\/again exposed/ },
  { run: 'autoscale deployment web --name=auto --max=5 --cpu-percent=80', expect: /autoscaled/ },
  { run: 'create job once --image=registry.example/job:1', expect: /job.batch\/once created/ },
  { run: 'create job manual --from=cronjob/nightly', expect: /job.batch\/manual created/ },
  { run: 'create quota second --hard=pods=10', expect: /created/ },
  { run: 'create priorityclass ${ns}-high --value=1000', expect: /created/, cluster: true },
  {
    run: 'create clusterrole ${ns}-view --verb=get --resource=nodes',
    expect: /created/,
    cluster: true,
  },
  {
    run: 'create clusterrolebinding ${ns}-view --clusterrole=${ns}-view --user=jane',
    expect: /created/,
    cluster: true,
  },
  { run: 'create ingress second --rule=example.com/*=web:80', expect: /created/ },
  {
    run: 'create poddisruptionbudget second --selector=app=db --min-available=1',
    expect: /created/,
  },
  { run: 'explain pod.spec.containers', expect: /FIELDS?:[\s\S]*image/, cluster: true },
  { run: 'explain deployment --recursive', expect: /strategy/, cluster: true },
  { run: 'get events', expect: /No resources found|LAST SEEN/ },
  { run: 'wait --for=condition=Ready pod/db-0 --timeout=60s', expect: /condition met/ },
  { run: 'top pods', expect: /db-0\s+\d+m\s+\d+Mi/ },
  { run: 'get pods --watch --request-timeout=1s', expect: /one/ },
  {
    run: 'label namespace ${ns} pod-security.kubernetes.io/enforce=restricted',
    expect: /labeled/,
    cluster: true,
  },
  {
    run: 'apply -f -',
    stdin: privileged,
    expect:
      /violates PodSecurity "restricted:latest": privileged \(container "c" must not set securityContext.privileged=true\)/,
    fails: true,
  },
  { run: 'delete pod one --wait=true --timeout=10s', expect: /pod "one" deleted/ },
  { run: 'delete deployment web --cascade=foreground --timeout=20s', expect: /deleted/ },
  { run: 'delete statefulset db --cascade=orphan', expect: /deleted/ },
  { run: 'delete daemonset agent --cascade=background', expect: /deleted/ },
  { run: 'delete configmap,secret --all', expect: /deleted/ },
  { run: 'delete cronjob nightly --dry-run=server', expect: /deleted \(server dry run\)/ },
  { run: 'get cronjob nightly', expect: /nightly/ },
  { run: 'get nothing', expect: /the server doesn't have a resource type "nothing"/, fails: true },
  { run: 'get configmap missing', expect: /configmaps "missing" not found/, fails: true },
  { run: 'delete clusterrolebinding ${ns}-view', expect: /deleted/, cluster: true },
  { run: 'delete clusterrole ${ns}-view', expect: /deleted/, cluster: true },
  { run: 'delete priorityclass ${ns}-high', expect: /deleted/, cluster: true },
  { run: 'delete namespace ${ns} --timeout=30s', expect: /deleted/, cluster: true },
  { run: 'get namespace ${ns}', expect: /not found/, fails: true, cluster: true },
];
