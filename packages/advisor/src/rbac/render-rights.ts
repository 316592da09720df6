// Who can, what can, what differs and what a log proposes, as text for people.

import { encodeYaml, type KubeObject } from '@keelson/apimachinery';
import { renderHeld, renderRule } from '../explain/render.ts';
import type { AuditProposal } from './from-audit.ts';
import { describeIdentity, type Identity } from './identities.ts';
import type { Reach } from './implied-rights.ts';
import type { Holder, Rights } from './reachable-rights.ts';
import { describeScoped, type RightsChange } from './rights-diff.ts';
import { describeQuestion, type AccessQuestion } from './rules.ts';

/** Those who may do it themselves first, then those who get there, each with a path. */
export function renderHolders(question: AccessQuestion, holders: readonly Holder[]): string {
  const lines = [`Who can ${describeQuestion(question)}`, ''];
  for (const { identity, path, rules } of holders) {
    lines.push(describeIdentity(identity));
    lines.push(...renderPath(path));
    if (path.length === 0 && rules.length === 0)
      lines.push('  members may do everything, whatever is stored');
    if (path.length === 0) lines.push(...rules.map((held) => `  ${renderHeld(held)}`));
    else if (rules[0] !== undefined && path.at(-1)?.kind === 'identity')
      lines.push(`  which may: ${renderHeld(rules[0])}`);
  }
  return `${lines.join('\n')}\n`;
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
    ...gained.map((one) => `  + ${describeScoped(one)}   (${renderHeld(one.by)})`),
    ...lost.map((one) => `  - ${describeScoped(one)}   (${renderHeld(one.by)})`),
  ]);
  return `${lines.join('\n')}\n`;
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
