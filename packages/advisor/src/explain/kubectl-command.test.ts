import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeQuestion } from '../rbac/rules.ts';
import { UnreadableError, type KnownResource } from './api-request.ts';
import { readAuditEvent } from './audit-event.ts';
import { readKubectlCommand } from './kubectl-command.ts';

const known = (
  [group, version, resource, kind]: readonly [string, string, string, string],
  namespaced: boolean,
  ...shortNames: string[]
): KnownResource => ({ group, version, resource, kind, namespaced, shortNames, subresources: [] });

const resources = [
  known(['', 'v1', 'pods', 'Pod'], true, 'pod', 'po'),
  known(['', 'v1', 'services', 'Service'], true, 'service', 'svc'),
  known(['', 'v1', 'nodes', 'Node'], false, 'node', 'no'),
  known(['', 'v1', 'events', 'Event'], true, 'event', 'ev'),
  known(['', 'v1', 'serviceaccounts', 'ServiceAccount'], true, 'serviceaccount', 'sa'),
  known(['apps', 'v1', 'deployments', 'Deployment'], true, 'deployment', 'deploy'),
  known(
    ['certificates.k8s.io', 'v1', 'certificatesigningrequests', 'CertificateSigningRequest'],
    false,
    'csr',
  ),
];
const around = {
  resources,
  namespace: 'default',
  readManifest: () => [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } },
  ],
};
const read = (line: string) => readKubectlCommand(line.split(' '), around);

test('commands are the requests that they send', () => {
  const rows: [line: string, ...requests: string[]][] = [
    ['get pods', 'list pods in namespace default'],
    ['get po -n shop', 'list pods in namespace shop'],
    ['get pods -nshop', 'list pods in namespace shop'],
    ['--namespace=shop get pod web', 'get pods "web" in namespace shop'],
    ['get pods -A', 'list pods in the whole cluster'],
    [
      'get deploy.apps/web svc/web',
      'get deployments.apps "web" in namespace default',
      'get services "web" in namespace default',
    ],
    [
      'get pods,svc -l a=b -o yaml',
      'list pods in namespace default',
      'list services in namespace default',
    ],
    ['get pods -w', 'list pods in namespace default', 'watch pods in namespace default'],
    ['get nodes', 'list nodes in the whole cluster'],
    ['get --raw /metrics?x=1', 'get /metrics'],
    ['describe pod web', 'get pods "web" in namespace default', 'list events in namespace default'],
    [
      'logs -f web -c app',
      'get pods "web" in namespace default',
      'get pods/log "web" in namespace default',
    ],
    [
      'logs deploy/web',
      'get deployments.apps "web" in namespace default',
      'list pods in namespace default',
      'get pods/log in namespace default',
    ],
    [
      'exec -it web -- get pods',
      'get pods "web" in namespace default',
      'create pods/exec "web" in namespace default',
    ],
    [
      'port-forward web 8080:80',
      'get pods "web" in namespace default',
      'create pods/portforward "web" in namespace default',
    ],
    [
      'cp ./x shop/web:/tmp/x',
      'get pods "web" in namespace shop',
      'create pods/exec "web" in namespace shop',
    ],
    ['create deployment web --image=x', 'create deployments.apps in namespace default'],
    ['create token bot', 'create serviceaccounts/token "bot" in namespace default'],
    ['run web --image nginx', 'create pods in namespace default'],
    [
      'delete pod a b',
      'delete pods "a" in namespace default',
      'delete pods "b" in namespace default',
    ],
    ['delete pods --all', 'list pods in namespace default', 'delete pods in namespace default'],
    [
      'scale deploy/web --replicas=3',
      'get deployments.apps "web" in namespace default',
      'patch deployments/scale.apps "web" in namespace default',
    ],
    [
      'patch deploy web -p {}',
      'get deployments.apps "web" in namespace default',
      'patch deployments.apps "web" in namespace default',
    ],
    [
      'label pod web a=b',
      'get pods "web" in namespace default',
      'patch pods "web" in namespace default',
    ],
    [
      'rollout restart deploy/web',
      'get deployments.apps "web" in namespace default',
      'patch deployments.apps "web" in namespace default',
    ],
    [
      'rollout status deploy/web',
      'get deployments.apps "web" in namespace default',
      'watch deployments.apps "web" in namespace default',
    ],
    [
      'drain n1',
      'get nodes "n1" in the whole cluster',
      'patch nodes "n1" in the whole cluster',
      'list pods in the whole cluster',
      'create pods/eviction in the whole cluster',
    ],
    [
      'certificate approve x',
      'get certificatesigningrequests.certificates.k8s.io "x" in the whole cluster',
      'update certificatesigningrequests/approval.certificates.k8s.io "x" in the whole cluster',
    ],
    ['auth can-i delete pods -n shop', 'delete pods in namespace shop'],
    ['auth can-i get /healthz', 'get /healthz'],
    ['auth can-i create pods --subresource=exec', 'create pods/exec in namespace default'],
    [
      'apply -f web.yaml',
      'get deployments.apps "web" in namespace shop',
      'create deployments.apps in namespace shop',
      'patch deployments.apps "web" in namespace shop',
      'get services "web" in namespace default',
      'create services in namespace default',
      'patch services "web" in namespace default',
    ],
    [
      'delete -f web.yaml',
      'delete deployments.apps "web" in namespace shop',
      'delete services "web" in namespace default',
    ],
    ['version', 'get /version'],
  ];
  for (const [line, ...requests] of rows)
    assert.deepEqual(
      read(line).requests.map(({ question }) => describeQuestion(question)),
      requests,
      line,
    );
});

test('who it runs as is part of the command', () => {
  assert.deepEqual(read('--as=jane --as-group=a --as-group b get pods').impersonate, {
    user: 'jane',
    groups: ['a', 'b'],
  });
  assert.equal(read('get pods --token abc').token, 'abc');
  assert.equal(read('get pods').impersonate, undefined);
});

test('what is not understood is refused', () => {
  const rows: [line: string, why: RegExp][] = [
    ['frobnicate pods', /kubectl frobnicate is not understood/],
    ['get', /needs a resource type/],
    ['get gizmos', /no resource type "gizmos"/],
    ['get pods --frobnicate', /--frobnicate is no flag/],
    ['get pods -Z', /-Z is no flag/],
    ['get pods -n', /--namespace of kubectl needs a value/],
    ['get pod web -A', /cannot be retrieved by name across all namespaces/],
    ['get pods/a/b', /not of the form type\/name/],
    ['delete pods', /needs names, a selector or --all/],
    ['apply', /the objects are missing/],
    ['create', /needs -f, or a kind and a name/],
    ['exec', /./],
    ['cp a b', /needs pod:path/],
    ['rollout frob deploy/web', /rollout frob is not understood/],
    ['auth reconcile -f x', /understands can-i/],
    ['certificate frob x', /approves or denies/],
  ];
  for (const [line, why] of rows)
    assert.throws(
      () => read(line),
      (error) => error instanceof UnreadableError && why.test(error.message),
      line,
    );
});

test('requests that would do something are only asked about', () => {
  const sent = (line: string) => read(line).requests.map(({ request }) => request?.path);
  assert.deepEqual(sent('exec web -- rm'), ['/api/v1/namespaces/default/pods/web', undefined]);
  assert.deepEqual(sent('delete pod web'), ['/api/v1/namespaces/default/pods/web?dryRun=All']);
  assert.deepEqual(sent('delete pods --all').at(-1), undefined);
  assert.deepEqual(sent('get pods -w').at(-1), undefined);
  assert.ok(
    sent('apply -f web.yaml').every(
      (path) => path?.includes('?') !== true || path.includes('dryRun=All'),
    ),
  );
});

test('audit events are the questions that authorizers were asked', () => {
  const user = { username: 'jane', groups: ['devs'] };
  const event = (fields: object) =>
    ({ kind: 'Event', stage: 'ResponseComplete', user, ...fields }) as never;
  const at = { resource: 'pods', namespace: 'shop', name: 'web', apiVersion: 'v1' };
  const rows: [fields: object, question: string][] = [
    [{ verb: 'get', objectRef: at }, 'get pods "web" in namespace shop'],
    [{ verb: 'create', objectRef: at }, 'create pods in namespace shop'],
    [
      { verb: 'create', objectRef: { ...at, subresource: 'exec' } },
      'create pods/exec "web" in namespace shop',
    ],
    [{ verb: 'get', requestURI: '/metrics?x' }, 'get /metrics'],
  ];
  for (const [fields, question] of rows)
    assert.equal(describeQuestion(readAuditEvent(event(fields)).question), question);
  assert.equal(
    readAuditEvent(event({ verb: 'get', objectRef: at, impersonatedUser: { username: 'sam' } }))
      .impersonated?.name,
    'sam',
  );
  for (const bad of [null, {}, { kind: 'Event' }, { kind: 'Event', verb: 'get', user }])
    assert.throws(() => readAuditEvent(bad as never), UnreadableError);
});
