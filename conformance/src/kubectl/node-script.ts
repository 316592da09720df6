// What people do with pods that run, on a simulated node: logs, commands, usage, an ephemeral
// container, deletion.

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
spec:
  nodeName: node-1
  containers: [{name: app, image: "app:1"}]
`;

/** From 1.31 on kubectl streams over WebSockets by itself. */
const streams = 31;

export const nodeScript: readonly Step[] = [
  { run: 'create namespace ${ns}', cluster: true, expect: /created/ },
  { run: 'get node node-1', cluster: true, expect: /node-1 +Ready/ },
  { run: 'apply -f -', stdin: pod, expect: /pod\/web created/ },
  { run: 'wait --for=condition=Ready pod/web --timeout=30s', expect: /condition met/ },
  { run: 'get pod web -o wide', expect: /1\/1 +Running .* node-1/ },
  { run: 'logs web', expect: /^one\ntwo$/ },
  { run: 'logs web --tail=1', expect: /^two$/ },
  { run: 'logs web --previous', expect: /previous terminated container/, fails: true },
  { run: 'exec web -- echo hello', expect: /^hello$/, since: streams },
  { run: 'exec web -- false', expect: /exit code 1/, exitCode: 1, since: streams },
  {
    run: 'exec -i web -- sh',
    stdin: 'echo from a shell\nexit 7\n',
    expect: /^from a shell$/,
    exitCode: 7,
    since: streams,
  },
  {
    run: 'exec web -- unheard-of',
    expect: /no rule answers "unheard-of"/,
    exitCode: 127,
    since: streams,
  },
  { run: 'port-forward web :80', expect: /no port can be forwarded/, fails: true },
  { run: 'top pod web --no-headers', expect: /^web +250m +64Mi$/ },
  { run: 'top node node-1 --no-headers', cluster: true, expect: /^node-1 / },
  { run: 'debug web --image=tools:1 -c helper', expect: /^/ },
  {
    run: 'wait --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt} pod/web --timeout=30s',
    expect: /condition met/,
    since: streams,
  },
  { run: 'get events --field-selector=reason=Started', expect: /pod\/web/ },
  { run: 'delete pod web --timeout=30s', expect: /deleted/ },
  { run: 'get pods', expect: /No resources found/ },
  { run: 'delete namespace ${ns} --wait=false', cluster: true, expect: /deleted/ },
];
