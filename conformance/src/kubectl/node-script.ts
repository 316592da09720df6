// What people do with pods that run, on a simulated node: logs, commands, ports, usage, an
// ephemeral container, deletion. Kubectl before 1.31 speaks SPDY, later ones WebSockets.

import type { Step } from './script.ts';

const pod = `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
  annotations:
    keelson.dev/simulate-logs: "one\\ntwo"
    keelson.dev/simulate-cpu-usage: 250m
    keelson.dev/simulate-memory-usage: 64Mi
    keelson.dev/simulate-ports: "8080 http hello\\n6379 tcp +PONG"
spec:
  nodeName: node-1
  containers: [{name: app, image: "app:1"}]
`;
const service = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

export const nodeScript: readonly Step[] = [
  { run: 'create namespace ${ns}', cluster: true, expect: /created/ },
  { run: 'get node node-1', cluster: true, expect: /node-1 +Ready/ },
  { run: 'apply -f -', stdin: pod, expect: /pod\/web created/ },
  { run: 'wait --for=condition=Ready pod/web --timeout=30s', expect: /condition met/ },
  { run: 'get pod web -o wide', expect: /1\/1 +Running .* node-1/ },
  { run: 'logs web', expect: /^one\ntwo$/ },
  { run: 'logs web --tail=1', expect: /^two$/ },
  { run: 'logs web --previous', expect: /previous terminated container/, fails: true },
  { run: 'exec web -- echo hello', expect: /^hello$/ },
  { run: 'exec web -- false', expect: /exit code 1/, exitCode: 1 },
  { run: 'exec -i web -- cat', stdin: 'one\ntwo\n'.repeat(50_000), expect: /^(?:one\ntwo\s?)+$/ },
  {
    run: 'exec -i web -- sh',
    stdin: 'echo from a shell\nexit 7\n',
    expect: /^from a shell$/,
    exitCode: 7,
  },
  { run: 'exec web -- unheard-of', expect: /no rule answers "unheard-of"/, exitCode: 127 },
  { run: 'exec web -c other -- true', expect: /container other is not valid/, fails: true },
  { run: 'attach -i web', expect: /^one\ntwo$/ },
  {
    run: 'cp web:/etc/motd ${dir}/motd',
    expect: /no rule answers "tar cf - \/etc\/motd"/,
    fails: true,
  },
  { run: 'port-forward web :8080', forwarded: '/', expect: /^hello$/ },
  { run: 'port-forward web :6379', forwarded: '', expect: /^\+PONG$/ },
  { run: 'port-forward web 0:8080', forwarded: '/', expect: /^hello$/ },
  {
    run: 'port-forward web :9',
    forwarded: '/',
    expect: /error forwarding port 9 to pod web, uid [-0-9a-f]+: .*connect: connection refused/,
    fails: true,
  },
  { run: 'apply -f -', stdin: service, expect: /service\/web created/ },
  { run: 'port-forward service/web :80', forwarded: '/', expect: /^hello$/ },
  { run: 'top pod web --no-headers', expect: /^web +250m +64Mi$/ },
  { run: 'top node node-1 --no-headers', cluster: true, expect: /^node-1 / },
  { run: 'debug web --image=tools:1 -c helper', expect: /^/ },
  {
    run: 'wait --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt} pod/web --timeout=30s',
    expect: /condition met/,
    // Earlier ones wait for values only.
    since: 28,
  },
  { run: 'get events --field-selector=reason=Started', expect: /pod\/web/ },
  { run: 'delete pod web --timeout=30s', expect: /deleted/ },
  { run: 'get pods', expect: /No resources found/ },
  { run: 'delete namespace ${ns} --wait=false', cluster: true, expect: /deleted/ },
];
