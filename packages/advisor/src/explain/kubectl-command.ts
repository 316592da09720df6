// A kubectl command line as the requests that it sends, in their order. Nothing is run: each command
// is told here by what it asks of the server, with the resources that discovery names.
//
//   get, describe, watch (-w), logs, exec, attach, cp, port-forward, top pods and nodes
//   create, apply, replace, diff, delete, patch, edit, label, annotate, scale, set, autoscale, expose, run
//   rollout status, history, restart, undo, pause, resume; wait; cordon, uncordon, drain, taint
//   certificate approve, deny; auth can-i, whoami; version, api-resources, api-versions, cluster-info
//
// Everything else is refused with a sentence; so is what would have to be guessed.

import type { JsonObject, JsonValue } from '@keelson/apimachinery';
import {
  findResource,
  resourceRequest,
  UnreadableError,
  type ApiRequestMeant,
  type KnownResource,
} from './api-request.ts';
import { readKubectlArguments, type KubectlArguments } from './kubectl-flags.ts';
import { manifestRequests } from './manifest.ts';

export interface KubectlSurroundings {
  readonly resources: readonly KnownResource[];
  /** Of the kubeconfig; `default` unless it says otherwise. */
  readonly namespace: string;
  /** The objects of a file that `-f` names. */
  readManifest(path: string): readonly JsonObject[];
}

export interface KubectlCommand {
  readonly requests: readonly ApiRequestMeant[];
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[] };
  /** Of `--token`, for a server that is asked. */
  readonly token?: string;
}

/** `words` without `kubectl` itself. Throws UnreadableError. */
export function readKubectlCommand(
  words: readonly string[],
  around: KubectlSurroundings,
): KubectlCommand {
  const args = readKubectlArguments(words);
  const [name = '', ...operands] = args.words;
  const run = commands[name];
  if (run === undefined)
    throw new UnreadableError(
      name === '' ? 'kubectl needs a command' : `kubectl ${name} is not understood here`,
    );
  const namespace = args.has('all-namespaces') ? '' : (args.flag('namespace') ?? around.namespace);
  const requests = run({ args, operands, namespace, around, ask: askWith(around) });
  const user = args.flag('as');
  const token = args.flag('token');
  return {
    requests,
    ...(user === undefined ? {} : { impersonate: { user, groups: args.flags('as-group') } }),
    ...(token === undefined ? {} : { token }),
  };
}

interface Line {
  readonly args: KubectlArguments;
  readonly operands: readonly string[];
  readonly namespace: string;
  readonly around: KubectlSurroundings;
  readonly ask: Ask;
}
/** `verb` on `type` or `type/subresource`. */
type Ask = (verb: string, type: string, place: Place, body?: JsonValue) => ApiRequestMeant;
interface Place {
  readonly namespace: string;
  readonly name?: string;
}
type Command = (line: Line) => ApiRequestMeant[];

function askWith({ resources }: KubectlSurroundings): Ask {
  return (verb, type, { namespace, name = '' }, body) => {
    const [parent = '', subresource = ''] = type.split('/');
    const resource = findResource(resources, parent);
    if (resource.namespaced && namespace === '' && name !== '')
      throw new UnreadableError('a resource cannot be retrieved by name across all namespaces');
    return resourceRequest(verb, { resource, subresource, namespace, name }, body);
  };
}

interface Target {
  readonly type: string;
  /** Empty: all of them. */
  readonly name: string;
}

/** What kubectl's `all` means. */
const allTypes = [
  'pods',
  'replicationcontrollers',
  'services',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'horizontalpodautoscalers.autoscaling',
  'cronjobs.batch',
  'jobs.batch',
];

/** `pods`, `pods web db`, `pods,services`, `pod/web deployment/db`. */
function targetsOf(operands: readonly string[], what = 'a resource type'): Target[] {
  const [types = '', ...names] = operands;
  if (types === '') throw new UnreadableError(`kubectl needs ${what}`);
  if (operands.some((word) => word.includes('/')))
    return operands.map((word) => {
      const [type = '', name = '', ...more] = word.split('/');
      if (name === '' || more.length > 0)
        throw new UnreadableError(`${JSON.stringify(word)} is not of the form type/name`);
      return { type, name };
    });
  const list = types.split(',').flatMap((type) => (type === 'all' ? allTypes : [type]));
  return list.flatMap((type) =>
    names.length === 0 ? [{ type, name: '' }] : names.map((name) => ({ type, name })),
  );
}

/** Named ones only; a selector lists first, and what it finds is not known. */
function namedTargets(line: Line, type?: string): Target[] {
  const { operands } = line;
  const words =
    type === undefined || operands[0]?.includes('/') === true ? operands : [type, ...operands];
  const targets = targetsOf(words, 'a name');
  if (targets.some(({ name }) => name === ''))
    throw new UnreadableError('only commands that name their objects are understood here');
  return targets;
}

const get: Command = ({ args, operands, namespace, ask, around }) => {
  const raw = args.flag('raw');
  if (raw !== undefined) return [urlRequest(raw)];
  if (args.flag('filename') !== undefined)
    return manifestRequests(['get'], manifestOf(args, around), { ...around, namespace });
  const reads = targetsOf(operands).map(({ type, name }) => {
    const sub = args.flag('subresource');
    const full = sub === undefined ? type : `${type}/${sub}`;
    return ask(name === '' ? 'list' : 'get', full, { namespace, name });
  });
  if (!args.has('watch') && !args.has('watch-only')) return reads;
  return [
    ...reads,
    ...targetsOf(operands).map(({ type, name }) => ask('watch', type, { namespace, name })),
  ];
};

const describe: Command = ({ operands, namespace, ask }) => [
  ...targetsOf(operands).map(({ type, name }) =>
    ask(name === '' ? 'list' : 'get', type, { namespace, name }),
  ),
  ask('list', 'events', { namespace }),
];

/** Reads the pod first, then uses its subresource. */
function onPods(subresource: string, verb: string): Command {
  return (line) => {
    const [operand = ''] = line.operands;
    const [target] = namedTargets({ ...line, operands: operand === '' ? [] : [operand] }, 'pods');
    const { type = 'pods', name = '' } = target ?? {};
    const { namespace, ask } = line;
    const isPod = ['pod', 'pods', 'po'].includes(type);
    // Which pod a workload has is found with its selector.
    const found = isPod
      ? [ask('get', 'pods', { namespace, name })]
      : [ask('get', type, { namespace, name }), ask('list', 'pods', { namespace })];
    const place = { namespace, name: isPod ? name : '' };
    return [...found, ask(verb, `pods/${subresource}`, place)];
  };
}

const copy: Command = (line) => {
  const remote = line.operands.find((word) => word.includes(':'));
  const [, namespace = line.namespace, name = ''] =
    /^(?:([^/:]+)\/)?([^/:]+):/.exec(remote ?? '') ?? [];
  if (name === '') throw new UnreadableError('kubectl cp needs pod:path on one side');
  return onPods('exec', 'create')({ ...line, operands: [name], namespace });
};

/** Reads each object, then changes it. */
function changing(subresource = ''): Command {
  return (line) => {
    const operands = line.operands.filter((word) => !/^[^/]+[=:]|-$/.test(word));
    return namedTargets({ ...line, operands }).flatMap(({ type, name }) => {
      const place = { namespace: line.namespace, name };
      const full = subresource === '' ? type : `${type}/${subresource}`;
      return [line.ask('get', type, place), line.ask('patch', full, place)];
    });
  };
}

const remove: Command = ({ args, operands, namespace, ask, around }) => {
  if (args.flag('filename') !== undefined)
    return manifestRequests(['delete'], manifestOf(args, around), { ...around, namespace });
  const targets = targetsOf(operands);
  if (
    targets.some(({ name }) => name === '') &&
    !args.has('all') &&
    args.flag('selector') === undefined
  )
    throw new UnreadableError('kubectl delete needs names, a selector or --all');
  return targets.flatMap(({ type, name }) =>
    name === ''
      ? [ask('list', type, { namespace }), bare(ask('delete', type, { namespace, name: '-' }))]
      : [ask('delete', type, { namespace, name })],
  );
};

/** Of objects that are not known before others are listed. */
function bare({ question }: ApiRequestMeant): ApiRequestMeant {
  return { question: 'name' in question ? { ...question, name: '' } : question };
}

/** What `create NAME …` makes, where the resource has another name. */
const createdTypes: Readonly<Record<string, string>> = {
  secret: 'secrets',
  quota: 'resourcequotas',
  pdb: 'poddisruptionbudgets',
};

const create: Command = ({ args, operands, namespace, ask, around }) => {
  if (args.flag('filename') !== undefined)
    return manifestRequests(['create'], manifestOf(args, around), { ...around, namespace });
  const [kind = '', ...names] = operands;
  const name = names.at(-1) ?? '';
  if (name === '') throw new UnreadableError('kubectl create needs -f, or a kind and a name');
  if (kind === 'token') return [ask('create', 'serviceaccounts/token', { namespace, name })];
  return [ask('create', createdTypes[kind] ?? kind, { namespace, name })];
};

/** Of `-f`. */
function manifestOf(args: KubectlArguments, around: KubectlSurroundings): JsonObject[] {
  const files = args.flags('filename');
  if (files.length === 0) throw new UnreadableError('the objects are missing: -f FILE');
  return files.flatMap((file) => [...around.readManifest(file)]);
}

function applying(...verbs: readonly string[]): Command {
  return ({ args, namespace, around }) =>
    manifestRequests(verbs, manifestOf(args, around), { ...around, namespace });
}

const run: Command = ({ operands, namespace, ask }) => {
  const [name = ''] = operands;
  if (name === '') throw new UnreadableError('kubectl run needs a name');
  return [ask('create', 'pods', { namespace, name })];
};

const expose: Command = (line) => [
  ...namedTargets(line).map(({ type, name }) =>
    line.ask('get', type, { namespace: line.namespace, name }),
  ),
  line.ask('create', 'services', { namespace: line.namespace }),
];

const autoscale: Command = (line) => [
  ...namedTargets(line).map(({ type, name }) =>
    line.ask('get', `${type}/scale`, { namespace: line.namespace, name }),
  ),
  line.ask('create', 'horizontalpodautoscalers.autoscaling', { namespace: line.namespace }),
];

const rollout: Command = (line) => {
  const [action = '', ...operands] = line.operands;
  const reads = ['status', 'history'];
  const writes = ['restart', 'undo', 'pause', 'resume'];
  if (![...reads, ...writes].includes(action))
    throw new UnreadableError(`kubectl rollout ${action} is not understood here`);
  return namedTargets({ ...line, operands }).flatMap(({ type, name }) => {
    const place = { namespace: line.namespace, name };
    const seen = line.ask('get', type, place);
    if (action === 'history' || action === 'undo')
      return [
        seen,
        line.ask(
          'list',
          type.startsWith('deploy') ? 'replicasets.apps' : 'controllerrevisions.apps',
          {
            namespace: line.namespace,
          },
        ),
        ...(action === 'undo' ? [line.ask('patch', type, place)] : []),
      ];
    if (reads.includes(action)) return [seen, line.ask('watch', type, place)];
    return [seen, line.ask('patch', type, place)];
  });
};

const wait: Command = (line) =>
  namedTargets(line).flatMap(({ type, name }) => {
    const place = { namespace: line.namespace, name };
    return [line.ask('get', type, place), line.ask('watch', type, place)];
  });

const onNodes =
  (...more: readonly [verb: string, type: string][]): Command =>
  ({ operands, ask }) => {
    const [name = ''] = operands;
    if (name === '') throw new UnreadableError('the name of a node is missing');
    const place = { namespace: '', name };
    return [
      ask('get', 'nodes', place),
      ask('patch', 'nodes', place),
      ...more.map(([verb, type]) => ask(verb, type, { namespace: '' })),
    ];
  };

const certificate: Command = ({ operands, ask }) => {
  const [action = '', name = ''] = operands;
  if ((action !== 'approve' && action !== 'deny') || name === '')
    throw new UnreadableError('kubectl certificate approves or denies a named request');
  const type = 'certificatesigningrequests.certificates.k8s.io';
  const place = { namespace: '', name };
  return [ask('get', type, place), ask('update', `certificatesigningrequests/approval`, place)];
};

const auth: Command = (line) => {
  const { args, operands, namespace, ask } = line;
  const [action = '', verb = '', what = '', named = ''] = operands;
  if (action === 'whoami')
    return [ask('create', 'selfsubjectreviews.authentication.k8s.io', { namespace: '' })];
  if (action !== 'can-i' || what === '')
    throw new UnreadableError('kubectl auth understands can-i VERB RESOURCE and whoami');
  if (what.startsWith('/')) return [{ question: { verb, url: what } }];
  const [type = '', name = named] = what.split('/');
  const subresource = args.flag('subresource');
  const full = subresource === undefined ? type : `${type}/${subresource}`;
  return [authorizationOnly(ask(verb, full, { namespace, name }))];
};

function authorizationOnly({ question }: ApiRequestMeant): ApiRequestMeant {
  return { question };
}

const top: Command = ({ operands, namespace, ask }) => {
  const [type = '', name = ''] = operands;
  if (!/^(po|pods?|no|nodes?)$/.test(type))
    throw new UnreadableError('kubectl top shows pods or nodes');
  const what = type.startsWith('p') ? 'pods' : 'nodes';
  const { question } = ask(name === '' ? 'list' : 'get', what, { namespace, name });
  return [{ question: { ...question, group: 'metrics.k8s.io' } as ApiRequestMeant['question'] }];
};

function urlRequest(path: string): ApiRequestMeant {
  const [url = ''] = path.split('?');
  return { question: { verb: 'get', url }, request: { method: 'GET', path } };
}
const urls =
  (...paths: readonly string[]): Command =>
  () =>
    paths.map(urlRequest);

const drain = onNodes(['list', 'pods'], ['create', 'pods/eviction']);

const commands: Readonly<Record<string, Command>> = {
  get,
  describe,
  logs: onPods('log', 'get'),
  exec: onPods('exec', 'create'),
  attach: onPods('attach', 'create'),
  'port-forward': onPods('portforward', 'create'),
  cp: copy,
  top,
  create,
  run,
  expose,
  autoscale,
  apply: applying('get', 'create', 'patch'),
  replace: applying('get', 'update'),
  diff: applying('get', 'patch'),
  delete: remove,
  patch: changing(),
  edit: changing(),
  label: changing(),
  annotate: changing(),
  taint: changing(),
  scale: changing('scale'),
  set: (line) => changing()({ ...line, operands: line.operands.slice(1) }),
  rollout,
  wait,
  cordon: onNodes(),
  uncordon: onNodes(),
  drain,
  certificate,
  auth,
  version: urls('/version'),
  'api-resources': urls('/api', '/apis'),
  'api-versions': urls('/api', '/apis'),
  'cluster-info': urls('/api'),
};
