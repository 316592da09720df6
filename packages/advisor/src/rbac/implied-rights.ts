// What a right implies beyond its words. Kubernetes' own documents name these ways
// (https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks): who
// may create pods reads the Secrets of the namespace and acts as its service accounts, who may
// `impersonate` is somebody else, and so on. One row for each way; each says which rights it needs, and
// what it leads to: another identity, another right, rules of a role, or everything.
//
// A row holds for the worst case that RBAC alone does not exclude. Admission may still refuse: Pod
// Security, policies and webhooks are other people's rules about the same requests.

import { impersonatesConstrained } from './constrained-impersonation.ts';
import { mastersGroup, accountOf, describeIdentity, type Identity } from './identities.ts';
import { rulesOfRole } from './policy.ts';
import type { PolicyRule } from './rules.ts';
import type { HeldRule, RbacState } from './state.ts';
import { can, type Asked, type Place, type Reach, type Way } from './way.ts';

/** Every step that the caller can take from the rights they hold; not those that follow from it. */
export function impliedReaches(
  state: RbacState,
  who: Identity,
  held: readonly HeldRule[],
): Reach[] {
  // Most callers hold little; ways are looked for only where there is anything at all.
  if (held.length === 0) return [];
  const asked = { state, who, held };
  return ways.flatMap((way) => way(asked));
}

function canAny(
  asked: Asked,
  verbs: readonly string[],
  targets: readonly string[],
  place: Place,
): HeldRule | undefined {
  for (const target of targets)
    for (const verb of verbs) {
      const rule = can(asked, verb, target, place);
      if (rule !== undefined) return rule;
    }
  return undefined;
}

const changes = ['create', 'update', 'patch'];
const everywhere: Place = { namespace: '' };
const everyRule: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
const everyUrl: PolicyRule = { verbs: ['*'], nonResourceURLs: ['*'] };

const everything = (how: string, ...needs: HeldRule[]): Reach => ({
  kind: 'rules',
  rules: [everyRule, everyUrl],
  namespace: '',
  how,
  needs,
});

function accountsIn(state: RbacState, namespace: string): Identity[] {
  return state.accounts.filter(({ name }) => accountOf(name)?.namespace === namespace);
}

/** `create` makes pods; of what has a template, changing it does too. */
const workloads = [
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'replicasets.apps',
  'replicationcontrollers',
  'jobs.batch',
  'cronjobs.batch',
];

const createsPods: Way = (asked) =>
  asked.state.namespaces.flatMap((namespace) => {
    const place = { namespace };
    const by = can(asked, 'create', 'pods', place) ?? canAny(asked, changes, workloads, place);
    if (by === undefined) return [];
    const reads: Reach = {
      kind: 'rules',
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets', 'configmaps'] }],
      namespace,
      how: `runs a pod in ${namespace} that mounts any Secret or ConfigMap of it`,
      needs: [by],
    };
    const acts = accountsIn(asked.state, namespace).map((identity): Reach => ({
      kind: 'identity',
      identity,
      how: `runs a pod in ${namespace} as ${describeIdentity(identity)}`,
      needs: [by],
    }));
    return [reads, ...acts];
  });

const entersPods: Way = (asked) =>
  asked.state.namespaces.flatMap((namespace) => {
    const place = { namespace };
    const by =
      canAny(asked, ['create'], ['pods/exec', 'pods/attach'], place) ??
      canAny(asked, ['update', 'patch'], ['pods/ephemeralcontainers'], place);
    if (by === undefined) return [];
    return accountsIn(asked.state, namespace).map((identity) => ({
      kind: 'identity',
      identity,
      how: `runs commands in a pod of ${namespace} that runs as ${describeIdentity(identity)}`,
      needs: [by],
    }));
  });

const asksForTokens: Way = (asked) =>
  asked.state.accounts.flatMap((identity): Reach[] => {
    const { namespace = '', name = '' } = accountOf(identity.name) ?? {};
    const place = { namespace, name };
    const requests = can(asked, 'create', 'serviceaccounts/token', place);
    const whom = describeIdentity(identity);
    if (requests !== undefined)
      return [
        { kind: 'identity', identity, how: `asks for a token of ${whom}`, needs: [requests] },
      ];
    const creates = can(asked, 'create', 'secrets', { namespace });
    const reads = canAny(asked, ['get', 'list', 'watch'], ['secrets'], { namespace });
    if (creates === undefined || reads === undefined) return [];
    const how = `creates a token Secret of ${whom} and reads it`;
    return [{ kind: 'identity', identity, how, needs: [creates, reads] }];
  });

const runsOnNodes: Way = (asked) => {
  const by = canAny(asked, ['create', 'get'], ['nodes/proxy'], everywhere);
  const named = asked.state.nodes.flatMap(
    (name) => canAny(asked, ['create', 'get'], ['nodes/proxy'], { namespace: '', name }) ?? [],
  );
  const rule = by ?? named[0];
  if (rule === undefined) return [];
  return asked.state.accounts.map((identity) => ({
    kind: 'identity',
    identity,
    how: `runs commands through the kubelet in a pod that runs as ${describeIdentity(identity)}`,
    needs: [rule],
  }));
};

const impersonates: Way = (asked) => {
  const { state } = asked;
  const may = (target: string, name: string, namespace = '') =>
    can(asked, 'impersonate', target, { namespace, name });
  const users = state.identities.filter(({ name }) => name !== '');
  const reached: Reach[] = [];
  for (const identity of users) {
    const account = accountOf(identity.name);
    const by =
      account === undefined
        ? may('users', identity.name)
        : may('serviceaccounts', account.name, account.namespace);
    if (by === undefined) continue;
    const how = `impersonates ${describeIdentity(identity)}`;
    reached.push({ kind: 'identity', identity, how, needs: [by] });
  }
  // A group is impersonated together with a user, whoever that is.
  const anyUser = may('users', 'anybody') ?? reached[0]?.needs[0];
  if (anyUser === undefined) return reached;
  const masters = may('groups', mastersGroup);
  if (masters !== undefined)
    reached.push(everything(`impersonates the group ${mastersGroup}`, anyUser, masters));
  for (const identity of state.identities.filter(({ name }) => name === '')) {
    const by = may('groups', identity.groups[0] ?? '');
    if (by === undefined) continue;
    const how = `impersonates ${describeIdentity(identity)}`;
    reached.push({ kind: 'identity', identity, how, needs: [anyUser, by] });
  }
  return reached;
};

const rbac = 'rbac.authorization.k8s.io';

/** `bind` lets a role be granted whose rights one does not hold. */
const binds: Way = (asked) => {
  const { state } = asked;
  const roles = state.policy.objects.filter(
    ({ kind }) => kind === 'ClusterRole' || kind === 'Role',
  );
  return ['', ...state.namespaces].flatMap((namespace) => {
    const bindings = namespace === '' ? 'clusterrolebindings' : 'rolebindings';
    const writes = canAny(asked, ['create'], [`${bindings}.${rbac}`], { namespace });
    if (writes === undefined) return [];
    return roles.flatMap((role): Reach[] => {
      const { kind, metadata } = role;
      if (kind === 'Role' && metadata.namespace !== namespace) return [];
      const target = kind === 'Role' ? `roles.${rbac}` : `clusterroles.${rbac}`;
      const by = can(asked, 'bind', target, { namespace, name: metadata.name ?? '' });
      if (by === undefined) return [];
      const where = namespace === '' ? 'in the whole cluster' : `in ${namespace}`;
      const how = `binds ${kind} ${metadata.name} to themselves ${where}`;
      return [{ kind: 'rules', rules: rulesOfRole(role), namespace, how, needs: [writes, by] }];
    });
  });
};

/** `escalate` lets a role be given rights that one does not hold; it must be one's own to gain. */
const escalates: Way = (asked) => {
  const own = new Map(asked.held.map(({ grant }) => [grant.binding, grant]));
  return [...own.values()].flatMap(({ role, namespace }): Reach[] => {
    if (role === undefined) return [];
    const target = role.kind === 'Role' ? `roles.${rbac}` : `clusterroles.${rbac}`;
    const place = {
      namespace: role.kind === 'Role' ? namespace : '',
      name: role.metadata.name ?? '',
    };
    const writes = canAny(asked, ['update', 'patch'], [target], place);
    const by = can(asked, 'escalate', target, place);
    if (writes === undefined || by === undefined) return [];
    const how = `adds any rule to ${role.kind} ${role.metadata.name}, which they are bound to`;
    const rules = namespace === '' ? [everyRule, everyUrl] : [everyRule];
    return [{ kind: 'rules', rules, namespace, how, needs: [writes, by] }];
  });
};

const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** CertificateSubjectRestriction refuses `system:masters`; every other name can be had. */
const approvesCertificates: Way = (asked) => {
  const place = { namespace: '', name: clientSigner };
  const requests = can(
    asked,
    'create',
    'certificatesigningrequests.certificates.k8s.io',
    everywhere,
  );
  const approves = canAny(
    asked,
    ['update', 'patch'],
    ['certificatesigningrequests/approval.certificates.k8s.io'],
    everywhere,
  );
  const signer =
    can(asked, 'approve', 'signers.certificates.k8s.io', place) ??
    can(asked, 'approve', 'signers.certificates.k8s.io', {
      ...place,
      name: 'kubernetes.io/*',
    });
  if (requests === undefined || approves === undefined || signer === undefined) return [];
  return asked.state.identities.map((identity) => ({
    kind: 'identity',
    identity,
    how: `approves a client certificate of their own that says ${describeIdentity(identity)}`,
    needs: [requests, approves, signer],
  }));
};

const altersWrites: Way = (asked) => {
  const group = 'admissionregistration.k8s.io';
  const webhook = canAny(asked, changes, [`mutatingwebhookconfigurations.${group}`], everywhere);
  if (webhook !== undefined)
    return [everything('a webhook of theirs sees and alters whatever others write', webhook)];
  const policy = canAny(asked, changes, [`mutatingadmissionpolicies.${group}`], everywhere);
  const binding = canAny(asked, changes, [`mutatingadmissionpolicybindings.${group}`], everywhere);
  if (policy !== undefined && binding !== undefined)
    return [everything('a policy of theirs alters whatever others write', policy, binding)];
  const watcher = canAny(asked, changes, [`validatingwebhookconfigurations.${group}`], everywhere);
  if (watcher === undefined) return [];
  return [
    {
      kind: 'rules',
      // Of all that is written, what would otherwise need a right that is guarded.
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }],
      namespace: '',
      how: 'a webhook of theirs sees whatever others write',
      needs: [watcher],
    },
  ];
};

const makesBootstrapTokens: Way = (asked) => {
  const by = can(asked, 'create', 'secrets', { namespace: 'kube-system' });
  if (by === undefined) return [];
  return asked.state.identities
    .filter(({ name, groups }) => name === '' && groups[0]?.startsWith('system:bootstrappers'))
    .map((identity) => ({
      kind: 'identity',
      identity,
      how: `creates a bootstrap token of ${describeIdentity(identity)}`,
      needs: [by],
    }));
};

const ways: readonly Way[] = [
  createsPods,
  entersPods,
  asksForTokens,
  runsOnNodes,
  impersonates,
  impersonatesConstrained,
  binds,
  escalates,
  approvesCertificates,
  altersWrites,
  makesBootstrapTokens,
];
