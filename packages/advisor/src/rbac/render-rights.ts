// Who can, what can, what differs and what a log proposes, as text for people.

import { encodeYaml, type KubeObject } from '@keelson/apimachinery';
import { renderHeld, renderRule } from '../explain/render.ts';
import type { AuditProposal } from './from-audit.ts';
import { describeIdentity, type Identity } from './identities.ts';
import type { Reach } from './way.ts';
import type { Holder, Rights } from './reachable-rights.ts';
import { describeObject } from './policy.ts';
import { describeScoped, type RightsChange, type ScopedPermission } from './rights-diff.ts';
import { describeQuestion, type AccessQuestion } from './rules.ts';

/**
 * Those who may do it themselves first, then those who get there, each with a path. Components of the
 * control plane that can do it by the default policy are only counted, unless `withSystem`.
 */
export function renderHolders(
  question: AccessQuestion,
  holders: readonly Holder[],
  withSystem = false,
): string {
  const shown = holders.filter((holder) => withSystem || !isOfSystem(holder));
  const hidden = holders.length - shown.length;
  const lines = [`Who can ${describeQuestion(question)}`, '', ...shown.flatMap(renderHolder)];
  if (hidden > 0)
    lines.push(
      '',
      `and ${hidden} components of the control plane, by the default policy (--system)`,
    );
  return `${lines.join('\n')}\n`;
}

function renderHolder({ identity, path, rules }: Holder): string[] {
  const lines = [describeIdentity(identity), ...renderPath(path)];
  const [rule] = rules;
  if (path.length === 0 && rule === undefined) lines.push(`  ${whyWithoutRule(identity)}`);
  else if (path.length === 0) lines.push(...rules.map((held) => `  ${renderHeld(held)}`));
  else if (rule !== undefined && path.at(-1)?.kind === 'identity')
    lines.push(`  which may: ${renderHeld(rule)}`);
  return lines;
}

function whyWithoutRule({ name }: Identity): string {
  return name.startsWith('system:node:')
    ? 'the Node authorizer allows it'
    : 'members may do everything, whatever is stored';
}

/** Nothing but bindings of the default policy leads there. */
function isOfSystem({ path, rules }: Holder): boolean {
  const used = [...rules, ...path.flatMap(({ needs }) => needs)];
  return (
    used.length > 0 &&
    used.every(({ grant }) => grant.binding.metadata.labels?.['kubernetes.io/bootstrapping'])
  );
}

function renderPath(path: readonly Reach[]): string[] {
  return path.map(
    ({ how, needs }, i) =>
      `  ${i === 0 ? '' : 'then '}${how}${needs.map((held) => `\n      by ${renderHeld(held)}`).join('')}`,
  );
}

export function renderRights(who: Identity, { held, reached }: Rights): string {
  const lines = [`${describeIdentity(who)} holds`, ''];
  if (held.length === 0) lines.push('  no rule at all');
  for (const rule of held) lines.push(`  ${renderHeld(rule)}`);
  if (reached.length > 0) lines.push('', 'which implies', '');
  for (const { path } of reached) {
    lines.push(...renderPath(path.slice(-1)));
    const before = path.slice(0, -1).map(({ how }) => how);
    if (before.length > 0) lines.push(`      after: ${before.join('; ')}`);
  }
  return `${lines.join('\n')}\n`;
}

export function renderRightsDiff(changes: readonly RightsChange[]): string {
  if (changes.length === 0) return 'No effective right differs.\n';
  const lines = changes.flatMap(({ identity, gained, lost }) => [
    describeIdentity(identity),
    ...byTarget(gained).map((line) => `  + ${line}`),
    ...byTarget(lost).map((line) => `  - ${line}`),
  ]);
  return `${lines.join('\n')}\n`;
}

/** `get, list pods in shop, by RoleBinding shop/devs`. */
function byTarget(rights: readonly ScopedPermission[]): string[] {
  const verbs = new Map<string, string[]>();
  for (const right of rights) {
    const { verb } = right.permission;
    const target = describeScoped(right).slice(verb.length + 1);
    const key = `${target}, by ${describeObject(right.by.grant.binding)}`;
    verbs.set(key, [...(verbs.get(key) ?? []), verb]);
  }
  return [...verbs].map(([target, list]) => `${list.join(', ')} ${target}`);
}

/** Objects as YAML documents, with what was left out as comments. */
export function renderAuditProposals(proposals: readonly AuditProposal[]): string {
  const documents = proposals.map(({ who, objects, withheld, asked, already }) => {
    const notes = [
      `# ${describeIdentity(who)}: ${asked} different requests, ${already} of them allowed already`,
      ...withheld.flatMap(({ rule, namespace, how }) => [
        `# withheld ${namespace === '' ? 'in the whole cluster' : `in ${namespace}`}: ${renderRule(rule)}`,
        `#   ${how}`,
      ]),
    ];
    return [`${notes.join('\n')}\n`, ...objects.map(toYaml)].join('---\n');
  });
  return documents.join('---\n');
}

function toYaml(object: KubeObject): string {
  return Buffer.from(encodeYaml(object)).toString('utf8');
}
