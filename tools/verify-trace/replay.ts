// Replays one recorded log: objects as they came and went, and every decision checked against those that
// were there. A decision is right when each of its steps is, when no authorizer was passed over, and when
// the first that allowed or denied has decided.
//
// Webhooks and ABAC decide from what is not recorded; their steps are believed, and counted.

import { checkNodeStep, isNode, type NodeRules } from './check-node.ts';
import { checkRbacStep } from './check-rbac.ts';
import type {
  LogLine,
  RecordedAttributes,
  RecordedStep,
  RecordedUser,
  StoredObject,
} from './recorded-log.ts';
import { createState, type State } from './state.ts';

export interface Verification {
  readonly decisions: number;
  /** Steps by authorizers that are believed. */
  readonly believed: number;
  readonly problems: readonly string[];
}

interface Question {
  readonly user: RecordedUser;
  readonly attributes: RecordedAttributes;
  readonly steps: RecordedStep[];
}

export function verifyLog(lines: Iterable<LogLine>): Verification {
  const state = createState();
  const open = new Map<number, Question>();
  const problems: string[] = [];
  let decisions = 0;
  let believed = 0;
  let modes: readonly string[] = [];
  let gates: NodeRules['gates'] = {};
  let role: StoredObject | undefined;
  const blame = (question: Question, why: string) =>
    problems.push(`${why}: ${JSON.stringify({ ...question, steps: undefined })}`);
  for (const line of lines) {
    const question = 'id' in line ? open.get(line.id) : undefined;
    if (line.is === 'start') ({ modes, gates } = line);
    else if (line.is === 'object') {
      state.apply(line.view, line.change, line.object);
      if (line.view === 'clusterRoles' && line.object.metadata.name === 'system:node')
        role ??= line.object;
    } else if (line.is === 'question') open.set(line.id, { ...line, steps: [] });
    else if (question === undefined) problems.push(`a line about no question: ${line.is}`);
    else if (line.is === 'step') {
      const { steps } = question;
      steps.push(line.step);
      const why = checkStep(state, question, line.step, { gates, role });
      if (why === 'believed') believed++;
      else if (why !== undefined) blame(question, `${line.step.by}: ${why}`);
    } else {
      decisions++;
      open.delete(line.id);
      const why = checkDecision(question, line.decision, modes);
      if (why !== undefined) blame(question, why);
    }
  }
  return { decisions, believed, problems };
}

function checkStep(
  state: State,
  { user, attributes }: Question,
  step: RecordedStep,
  rules: NodeRules,
): string | undefined {
  switch (step.by) {
    case 'RBAC':
      return checkRbacStep(state, user, attributes, step);
    case 'Node':
      return checkNodeStep(state, { user, attributes }, step, rules);
    case 'privileged-groups':
      return step.outcome === 'allow' && isMaster(user) ? undefined : 'not one of system:masters';
    case 'browser-safe':
      // It changes the question of RBAC, whose step is checked with the change.
      return user.groups.includes('system:authenticated') ? 'changed what it may not' : undefined;
    case 'AlwaysAllow':
      return step.outcome === 'allow' ? undefined : 'did not allow';
    case 'AlwaysDeny':
      return step.outcome === 'allow' ? 'allowed' : undefined;
    default:
      return 'believed';
  }
}

const isMaster = ({ groups }: RecordedUser) => groups.includes('system:masters');

function checkDecision(
  { user, steps }: Question,
  decision: string,
  modes: readonly string[],
): string | undefined {
  const deciding = steps.find(({ outcome }) => outcome === 'allow' || outcome === 'deny');
  if (decision !== (deciding?.outcome ?? 'no-opinion'))
    return `decided ${decision}, but the steps say ${deciding?.outcome ?? 'no-opinion'}`;
  if (deciding !== undefined && steps.at(-1) !== deciding) return 'asked on after a decision';
  if (isMaster(user))
    return deciding?.by === 'privileged-groups' ? undefined : 'a master was judged';
  const before = deciding === undefined ? modes.length : modes.indexOf(deciding.by);
  if (before < 0) return `${deciding?.by} decided, which is not asked`;
  const order = modes.slice(0, before);
  for (const mode of order) {
    const isAsked = mode === 'RBAC' || (mode === 'Node' && isNode(user));
    if (isAsked && !steps.some(({ by }) => by === mode)) return `${mode} was passed over`;
  }
  return undefined;
}
