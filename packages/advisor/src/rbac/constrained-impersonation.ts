// Constrained impersonation (KEP-5284): acting as somebody, but only for some verbs on some things. It
// needs two rights, `impersonate:<mode>` on who is acted as and `impersonate-on:<mode>:<verb>` on what
// is done, and leads to what the other may do as far as the second right goes.
//
// Who acts as another is judged as the other. So whoever may write bindings as somebody gives away
// what that somebody holds, and the rights that are asked about besides (`bind`, `approve` and the
// like) are the other's, whatever the caller may do.
//
// COMPAT: `impersonate:associated-node` is asked about all nodes, under the name `*`. That the caller
// runs on the node is taken for granted: a pod can be put anywhere.

import {
  describeIdentity,
  identityOf,
  mastersGroup,
  accountOf,
  type Identity,
} from './identities.ts';
import { isInForce, rbacGroup, rulesOfRole } from './policy.ts';
import { intersectRules } from './rule-intersection.ts';
import { permissionsOf, ruleAllows, ruleCovers, type PolicyRule } from './rules.ts';
import { heldRules, type HeldRule } from './state.ts';
import { can, type Asked, type Reach, type Way } from './way.ts';

export const impersonatesConstrained: Way = (asked) => {
  const { state, held } = asked;
  if (!state.constrainedImpersonation || !held.some(isAboutImpersonation)) return [];
  const nodes = state.nodes.map((name) => identityOf(`${nodePrefix}${name}`, ['system:nodes']));
  return [...state.identities, ...nodes].flatMap((identity) =>
    modes.flatMap((mode) => {
      const needs = mode.identityRights(asked, identity);
      return needs === undefined ? [] : actingAs({ asked, mode: mode.name, identity, needs });
    }),
  );
};

interface Mode {
  readonly name: string;
  /** The rules by which the caller may be this one; undefined when they may not. */
  identityRights(asked: Asked, identity: Identity): readonly HeldRule[] | undefined;
}

const nodePrefix = 'system:node:';
const authentication = 'authentication.k8s.io';
const nodeOf = ({ name }: Identity) =>
  name.startsWith(nodePrefix) ? name.slice(nodePrefix.length) : undefined;

const modes: readonly Mode[] = [
  {
    name: 'associated-node',
    identityRights(asked, identity) {
      if (nodeOf(identity) === undefined) return undefined;
      const by = may(asked, 'associated-node', 'nodes', '*');
      const isAccount = (rule: HeldRule) =>
        accountOf(asked.who.name) !== undefined || rule.grant.subject.kind === 'ServiceAccount';
      return by === undefined || !isAccount(by) ? undefined : [by];
    },
  },
  {
    name: 'arbitrary-node',
    identityRights(asked, identity) {
      const node = nodeOf(identity);
      return node === undefined ? undefined : some(may(asked, 'arbitrary-node', 'nodes', node));
    },
  },
  {
    name: 'serviceaccount',
    identityRights(asked, identity) {
      const account = accountOf(identity.name);
      if (account === undefined) return undefined;
      const target = `serviceaccounts.${authentication}`;
      return some(can(asked, 'impersonate:serviceaccount', target, account));
    },
  },
  { name: 'user-info', identityRights: userRights },
];

/** A group is taken together with a user, whoever that is; `system:masters` never. */
function userRights(asked: Asked, identity: Identity): readonly HeldRule[] | undefined {
  const user = (name: string) => may(asked, 'user-info', 'users', name);
  const { name, groups } = identity;
  if (accountOf(name) !== undefined || nodeOf(identity) !== undefined) return undefined;
  if (name !== '') return some(user(name));
  const [group = ''] = groups;
  if (group === '' || group === mastersGroup) return undefined;
  const inGroup = may(asked, 'user-info', 'groups', group);
  if (inGroup === undefined) return undefined;
  const names = asked.state.identities.map((known) => known.name);
  for (const someone of ['anybody', ...names, ...namesIn(asked)]) {
    const isPlain = someone !== '' && accountOf(someone) === undefined;
    const by = isPlain && !someone.startsWith(nodePrefix) ? user(someone) : undefined;
    if (by !== undefined) return [by, inGroup];
  }
  return undefined;
}

/** Names that only the right to act as them mentions. */
function namesIn({ held }: Asked): string[] {
  return held.filter(isAboutImpersonation).flatMap(({ rule }) => rule.resourceNames ?? []);
}

function may(asked: Asked, mode: string, resource: string, name: string): HeldRule | undefined {
  const place = { namespace: '', name };
  return can(asked, `impersonate:${mode}`, `${resource}.${authentication}`, place);
}

function some(rule: HeldRule | undefined): readonly HeldRule[] | undefined {
  return rule === undefined ? undefined : [rule];
}

function isAboutImpersonation({ rule }: HeldRule): boolean {
  return (rule.verbs ?? []).some((verb) => verb === '*' || verb.startsWith('impersonate'));
}

interface Acting {
  readonly asked: Asked;
  readonly mode: string;
  readonly identity: Identity;
  readonly needs: readonly HeldRule[];
}

/** What may be done as the other, by the place where it may be done. */
function actingAs({ asked, mode, identity, needs }: Acting): Reach[] {
  const others = heldRules(asked.state, identity);
  const found = new Map<string, { rules: PolicyRule[]; needs: HeldRule[] }>();
  for (const on of asked.held) {
    const allowed = doneAsAnother(on.rule, mode);
    if (allowed === undefined) continue;
    for (const other of others) {
      const namespace = commonNamespace(on.grant.namespace, other.grant.namespace);
      const rule = intersectRules(allowed, other.rule);
      if (namespace === undefined || rule === undefined) continue;
      const there = found.get(namespace) ?? { rules: [], needs: [] };
      found.set(namespace, there);
      there.rules.push(rule);
      there.needs.push(on);
    }
  }
  const how = `acts as ${describeIdentity(identity)} (${mode})`;
  return [...found].flatMap(([namespace, there]): Reach[] => {
    const reach = { kind: 'rules', namespace, needs: [...there.needs, ...needs] } as const;
    const besides = others
      .filter(({ grant }) => isInForce(grant, namespace))
      .flatMap(({ rule }) => intersectRules(askedBesides, rule) ?? []);
    const first: Reach = { ...reach, how, rules: [...there.rules, ...besides] };
    const given = rolesToGive(asked, there.rules, others, namespace);
    return [
      first,
      ...given.map(({ role, rules }) => ({
        ...reach,
        rules,
        how: `${how} and binds ${role} to themselves`,
      })),
    ];
  });
}

/** The rule in the verbs of what is done; undefined for one that is not about acting as another. */
function doneAsAnother(rule: PolicyRule, mode: string): PolicyRule | undefined {
  // Who holds every verb on a thing need not act as another for it, but to give away what others hold.
  if (rule.verbs?.includes('*') === true) return intersectRules(rule, writesBindings);
  const prefix = `impersonate-on:${mode}:`;
  const verbs = (rule.verbs ?? []).flatMap((verb) =>
    verb.startsWith(prefix) ? [verb.slice(prefix.length)] : [],
  );
  return verbs.length === 0 ? undefined : { ...rule, verbs };
}

const writesBindings: PolicyRule = {
  verbs: ['create'],
  apiGroups: [rbacGroup],
  resources: ['rolebindings', 'clusterrolebindings'],
};

/** Asked about whoever is acted as, while something else is done. */
const askedBesides: PolicyRule = {
  verbs: ['bind', 'escalate', 'approve', 'sign', 'attest', 'use'],
  apiGroups: ['*'],
  resources: ['*'],
};

function commonNamespace(a: string, b: string): string | undefined {
  if (a === '' || a === b) return b;
  return b === '' ? a : undefined;
}

/** Roles that the other may bind, for they hold all that is in them. */
function rolesToGive(
  { state }: Asked,
  done: readonly PolicyRule[],
  others: readonly HeldRule[],
  namespace: string,
) {
  const resource = namespace === '' ? 'clusterrolebindings' : 'rolebindings';
  const write = { verb: 'create', group: rbacGroup, resource, namespace, name: '' };
  if (!done.some((rule) => ruleAllows(rule, write))) return [];
  const inForce = others.filter(({ grant }) => isInForce(grant, namespace));
  return state.policy.objects.flatMap((role) => {
    const { kind = '', metadata } = role;
    const isHere = kind === 'ClusterRole' || (kind === 'Role' && metadata.namespace === namespace);
    const rules = rulesOfRole(role);
    const isHeld = rules
      .flatMap(permissionsOf)
      .every((permission) => inForce.some(({ rule }) => ruleCovers(rule, permission)));
    return isHere && rules.length > 0 && isHeld
      ? [{ role: `${kind} ${metadata.name}`, rules }]
      : [];
  });
}
