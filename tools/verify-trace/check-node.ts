// The Node authorizer, told once more from its documentation
// (https://kubernetes.io/docs/reference/access-authn-authz/node/): what a node may do, decided by looking
// at all pods and volumes for every question.

import { allows, rulesOf } from './check-rbac.ts';
import { claimsOfPod, namesInPod, secretsOfVolume } from './pod-needs.ts';
import type {
  RecordedAttributes,
  RecordedStep,
  RecordedUser,
  StoredObject,
} from './recorded-log.ts';
import type { State } from './state.ts';

export interface NodeRules {
  readonly gates: Readonly<Record<string, boolean>>;
  /** `system:node`, as the cluster was given it at its start. */
  readonly role: StoredObject | undefined;
}

export function isNode(user: RecordedUser): boolean {
  return user.name.startsWith('system:node:') && user.groups.includes('system:nodes');
}

/** What is wrong with the step; undefined when it is right. */
export function checkNodeStep(
  state: State,
  { user, attributes }: { readonly user: RecordedUser; readonly attributes: RecordedAttributes },
  step: RecordedStep,
  rules: NodeRules,
): string | undefined {
  if (!isNode(user)) return 'an opinion about somebody who is no node';
  const node = user.name.slice('system:node:'.length);
  const expected = node !== '' && mayDo(state, node, attributes, rules) ? 'allow' : 'no-opinion';
  if (step.outcome !== expected) return `${step.outcome}, but it should be ${expected}`;
  return checkPath(state, node, step.detail ?? {});
}

/** Objects on the way from what was asked for to the node are there, with the uid that is named. */
function checkPath(
  state: State,
  node: string,
  detail: Readonly<Record<string, unknown>>,
): string | undefined {
  const path = detail['path'];
  if (!Array.isArray(path)) return undefined;
  const vertices = path as { kind: string; namespace?: string; name: string; uid?: string }[];
  if (vertices.at(-1)?.kind !== 'node' || vertices.at(-1)?.name !== node)
    return 'the path does not end at the node';
  const views: Readonly<Record<string, string>> = {
    pod: 'pods',
    persistentvolume: 'persistentVolumes',
  };
  for (const { kind, namespace = '', name, uid } of vertices) {
    const view = views[kind];
    if (view === undefined || uid === undefined) continue;
    if (state.get(view, namespace, name)?.metadata.uid !== uid)
      return `the ${kind} of the path is another`;
  }
  return undefined;
}

function mayDo(state: State, node: string, asked: RecordedAttributes, rules: NodeRules): boolean {
  if (!asked.isResource) return false;
  const own = ownRules[`${asked.group}/${asked.resource}`];
  const decided = own?.({ state, node, asked, gates: rules.gates });
  if (decided !== undefined) return decided;
  return rules.role !== undefined && rulesOf(rules.role).some((rule) => allows(rule, asked));
}

interface Case {
  readonly state: State;
  readonly node: string;
  readonly asked: RecordedAttributes;
  readonly gates: Readonly<Record<string, boolean>>;
}
/** Undefined: the rules of the role decide. */
type OwnRule = (one: Case) => boolean | undefined;

const oneObject = ['get', 'create', 'update', 'patch', 'delete'];
const reading = ['get', 'list', 'watch'];
const isWhole = ({ asked }: Case) => (asked.subresource ?? '') === '';

const ownRules: Readonly<Record<string, OwnRule>> = {
  '/secrets': (one) => reads(one) && needs(one, 'secret'),
  '/configmaps': (one) => reads(one) && needs(one, 'configmap'),
  '/persistentvolumeclaims': (one) =>
    one.asked.subresource === 'status'
      ? ['update', 'patch'].includes(one.asked.verb) && needs(one, 'persistentvolumeclaim')
      : gets(one) && needs(one, 'persistentvolumeclaim'),
  '/persistentvolumes': (one) => gets(one) && volumeIsOn(one, one.asked.name ?? ''),
  'resource.k8s.io/resourceclaims': (one) => gets(one) && needs(one, 'resourceclaim'),
  'storage.k8s.io/volumeattachments': (one) => gets(one) && isNamed(one, 'volumeAttachments', ''),
  '/serviceaccounts': (one) => {
    const { verb, subresource = '', name = '' } = one.asked;
    const mayRead =
      one.gates['PodCertificateRequest'] === true ||
      one.gates['KubeletServiceAccountTokenForCredentialProviders'] === true;
    if (verb === 'get' && subresource === '') return mayRead && needs(one, 'serviceaccount');
    return (
      verb === 'create' && subresource === 'token' && name !== '' && needs(one, 'serviceaccount')
    );
  },
  'coordination.k8s.io/leases': ({ asked, node }) =>
    oneObject.includes(asked.verb) &&
    asked.namespace === 'kube-node-lease' &&
    (asked.verb === 'create' || asked.name === node),
  'storage.k8s.io/csinodes': (one) =>
    oneObject.includes(one.asked.verb) &&
    isWhole(one) &&
    (one.asked.verb === 'create' || one.asked.name === one.node),
  'resource.k8s.io/resourceslices': (one) => {
    const { verb } = one.asked;
    if (!isWhole(one)) return false;
    if (verb === 'create') return true;
    if (['get', 'update', 'patch', 'delete'].includes(verb))
      return isNamed(one, 'resourceSlices', '');
    const collects = ['list', 'watch', 'deletecollection'].includes(verb);
    return collects && (!selectsByNode(one) || selects(one));
  },
  'certificates.k8s.io/podcertificaterequests': (one) => {
    if (one.gates['PodCertificateRequest'] !== true || !selectsByNode(one)) return false;
    const { verb, namespace = '' } = one.asked;
    if (!isWhole(one)) return false;
    if (verb === 'create') return true;
    if (verb === 'get') return isNamed(one, 'podCertificateRequests', namespace);
    return (verb === 'list' || verb === 'watch') && selects(one);
  },
  '/nodes': (one) => {
    if (!selectsByNode(one)) return undefined;
    const { verb, subresource = '', name } = one.asked;
    if (subresource === 'status') return ['update', 'patch'].includes(verb);
    if (subresource !== '') return false;
    if (['create', 'update', 'patch'].includes(verb)) return true;
    return reading.includes(verb) && name === one.node;
  },
  '/pods': (one) => {
    if (!selectsByNode(one)) return undefined;
    const { verb, subresource = '', name = '' } = one.asked;
    if (subresource === 'status') return ['update', 'patch'].includes(verb);
    if (subresource === 'eviction') return verb === 'create';
    if (subresource !== '') return false;
    if (verb === 'create' || verb === 'delete') return true;
    const isOwn = () => name !== '' && podIsOn(one);
    if (verb === 'get') return isOwn();
    return (verb === 'list' || verb === 'watch') && (selects(one) || isOwn());
  },
};

const selectsByNode = ({ gates }: Case) => gates['AuthorizeNodeWithSelectors'] === true;

/** Whether only objects of this node are asked for. */
function selects({ asked, node }: Case): boolean {
  return (asked.fieldSelector ?? []).some(
    ({ key, operator, values }) =>
      key === 'spec.nodeName' && operator === 'In' && values.length === 1 && values[0] === node,
  );
}

function reads(one: Case): boolean {
  const { verb, namespace = '', name = '' } = one.asked;
  return reading.includes(verb) && isWhole(one) && namespace !== '' && name !== '';
}
function gets(one: Case): boolean {
  return one.asked.verb === 'get' && isWhole(one) && (one.asked.name ?? '') !== '';
}

function isNamed({ state, node, asked }: Case, view: string, namespace: string): boolean {
  const object = state.get(view, namespace, asked.name ?? '');
  return (object?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node;
}

function podsOn({ state, node }: Case): StoredObject[] {
  return [...state.all('pods')].filter(
    (pod) => (pod['spec'] as { nodeName?: string } | undefined)?.nodeName === node,
  );
}
function podIsOn(one: Case): boolean {
  const { namespace, name } = one.asked;
  return podsOn(one).some(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
  );
}

/** Pods that only mirror what a node runs by itself give it nothing. */
function givingPods(one: Case): StoredObject[] {
  return podsOn(one).filter(
    ({ metadata }) => metadata.annotations?.['kubernetes.io/config.mirror'] === undefined,
  );
}

function needs(one: Case, kind: string): boolean {
  const { namespace, name = '' } = one.asked;
  if (name === '') return false;
  const byPod = givingPods(one).some(
    (pod) => pod.metadata.namespace === namespace && namesInPod(pod, kind).includes(name),
  );
  return byPod || (kind === 'secret' && byVolume(one, `${namespace}/${name}`));
}

function byVolume(one: Case, secret: string): boolean {
  for (const volume of one.state.all('persistentVolumes'))
    if (secretsOfVolume(volume).includes(secret) && volumeIsOn(one, volume.metadata.name ?? ''))
      return true;
  return false;
}

function volumeIsOn(one: Case, name: string): boolean {
  const volume = one.state.get('persistentVolumes', '', name);
  const spec = volume?.['spec'] as { claimRef?: { namespace?: string; name?: string } } | undefined;
  const { namespace, name: claim } = spec?.claimRef ?? {};
  if (claim === undefined) return false;
  return givingPods(one).some(
    (pod) => pod.metadata.namespace === namespace && claimsOfPod(pod).includes(claim),
  );
}
