// `keelson explain`: why a kubectl command line, a manifest or an audit event is allowed or refused, or
// why a pod has no node (explain-pod.ts), and what would have to change. Nothing is done to the cluster that is asked: its objects are read, and
// every question is put to a copy of it in this process. Exit codes: 0 allowed, 1 refused, 2 unreadable.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  describeIdentity,
  explainRequest,
  identityOf,
  manifestRequests,
  readAuditEvent,
  readKubectlCommand,
  renderCaller,
  renderExplanation,
  toExplanationJson,
  UnreadableError,
  type AccessQuestion,
  type ApiRequestMeant,
  type Explanation,
  type Identity,
} from '@keelson/advisor';
import { parseJson, type DecisionStep } from '@keelson/apimachinery';
import { findCaller, type CallerOptions, type FoundCaller } from '../analysis/live-server.ts';
import { readObjectFile } from '../analysis/object-files.ts';
import {
  addSourceFlags,
  openAnalyzedCluster,
  runAnalysis,
  type AnalysisEnvironment,
  type AnalyzedCluster,
  type SourceFlags,
} from './analysis-command.ts';
import { runExplainPod } from './explain-pod.ts';

export interface ExplainFlags extends SourceFlags {
  readonly user?: string;
  readonly group: readonly string[];
  readonly filename: readonly string[];
  readonly auditEvent?: string;
}

export function addExplainCommand(program: Command, environment: AnalysisEnvironment): void {
  const repeat = (value: string, list: readonly string[]) => [...list, value];
  addSourceFlags(
    program
      .command('explain')
      .description(
        'why a request is allowed or refused, or a pod has no node, and what would have to change',
      )
      .argument(
        '[command...]',
        'kubectl and its arguments, as they would be typed; or: pod NAMESPACE/NAME',
      )
      .passThroughOptions(),
  )
    .option('--user <name>', 'who asks, when it is not who kubectl runs as')
    .option('--group <name>', 'a group of --user; repeatable', repeat, [])
    .option('-f, --filename <file>', 'a manifest that is to be applied; repeatable', repeat, [])
    .option('--audit-event <file>', 'JSON of one event of audit.k8s.io/v1')
    .action((words: readonly string[], flags: ExplainFlags) =>
      runAnalysis(environment, () =>
        words[0] === 'pod'
          ? runExplainPod(words, flags, environment)
          : runExplain(words, flags, environment),
      ),
    );
}

/** Gives the exit code. */
async function runExplain(
  words: readonly string[],
  flags: ExplainFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const analyzed = await openAnalyzedCluster(flags, environment);
  try {
    const asked = readAsked(words, flags, analyzed);
    const caller = await callerOf(asked, flags, analyzed);
    const explanations = await explainAll(asked, caller, analyzed);
    if (flags.output === 'json') environment.print(toJson(caller, explanations));
    else environment.print(toText(asked, caller, explanations));
    const isRefused = ({ isAuthorized, answer }: Explanation) =>
      !isAuthorized || (answer !== undefined && answer.code >= 400 && answer.code !== 404);
    return caller.who === undefined || explanations.some(isRefused) ? 1 : 0;
  } finally {
    await analyzed.close();
  }
}

interface Asked extends CallerOptions {
  readonly title: string;
  readonly requests: readonly ApiRequestMeant[];
  /** Known without asking anybody. */
  readonly identity?: Identity;
}

function readAsked(
  words: readonly string[],
  flags: ExplainFlags,
  analyzed: AnalyzedCluster,
): Asked {
  const { resources } = analyzed.offline;
  const namespace = analyzed.live?.context.namespace ?? 'default';
  const around = { resources, namespace, readManifest: readObjectFile };
  if (flags.auditEvent !== undefined) {
    const event = readAuditEvent(parseJson(readFileSync(flags.auditEvent)));
    const user = event.impersonated ?? event.user;
    const identity = identityOf(user.name, user.groups);
    return { title: 'the audited request', requests: [{ question: event.question }], identity };
  }
  if (flags.filename.length > 0) {
    const objects = flags.filename.flatMap(readObjectFile);
    const requests = manifestRequests(['get', 'create', 'patch'], objects, around);
    return { title: `apply -f ${flags.filename.join(' -f ')}`, requests };
  }
  const [program = '', ...rest] = words;
  if (program !== 'kubectl')
    throw new UnreadableError(
      'what is to be explained? A kubectl command, pod NAMESPACE/NAME, -f FILE or --audit-event FILE',
    );
  return { title: titleOf(words), ...readKubectlCommand(rest, around) };
}

/** SECURITY: what is printed ends up in tickets and chats. */
function titleOf(words: readonly string[]): string {
  return words.join(' ').replaceAll(/--token[= ]\S+/g, '--token=[redacted]');
}

interface Caller {
  readonly who?: Identity;
  /** Who acts as them, when that is asked too. */
  readonly impersonator?: Identity;
  /** How that was found, or why not. */
  readonly lines: readonly string[];
}

async function callerOf(
  asked: Asked,
  flags: ExplainFlags,
  { live }: AnalyzedCluster,
): Promise<Caller> {
  if (asked.identity !== undefined)
    return { who: asked.identity, lines: ['named by the audit event'] };
  const { impersonate } = asked;
  if (flags.user !== undefined) {
    const user = identityOf(flags.user, flags.group);
    if (impersonate === undefined) return { who: user, lines: ['named by --user'] };
    const who = identityOf(impersonate.user, impersonate.groups);
    return { who, impersonator: user, lines: [`impersonated by ${describeIdentity(user)}`] };
  }
  if (live !== undefined) return describeFound(await findCaller(live, asked));
  if (impersonate === undefined)
    throw new UnreadableError('files do not say who asks: add --as to kubectl, or --user');
  const who = identityOf(impersonate.user, impersonate.groups);
  return { who, lines: ['named by --as; whether somebody may impersonate them was not asked'] };
}

function describeFound({ code, message, identity, steps }: FoundCaller): Caller {
  const relevant = steps.filter(({ stage }) => ['authentication', 'impersonation'].includes(stage));
  const decided = relevant.filter(({ outcome }) => outcome !== 'no-opinion').map(describeStep);
  if (identity !== undefined)
    return { who: identity, lines: decided.length > 0 ? decided : ['as the server says'] };
  const asked = [...new Set(relevant.map(({ by }) => by))].join(', ');
  const nobody = asked === '' ? [] : [`the credential is known to none of ${asked}`];
  const lines = decided.length > 0 ? decided : nobody;
  return { lines: [`the server answers ${code} ${message}`, ...lines] };
}

function describeStep({ stage, by, outcome, reason }: DecisionStep): string {
  const verdict =
    outcome === 'allow' ? '' : outcome === 'no-opinion' ? 'no opinion: ' : 'refused: ';
  return `${stage} by ${by}: ${verdict}${reason}`;
}

async function explainAll(
  { requests }: Asked,
  { who, impersonator }: Caller,
  { offline }: AnalyzedCluster,
): Promise<Explanation[]> {
  if (who === undefined) return [];
  const explanations: Explanation[] = [];
  if (impersonator !== undefined)
    for (const question of impersonationQuestions(who))
      explanations.push(await explainRequest(offline, impersonator, { question }));
  let last: Explanation | undefined;
  for (const request of requests) {
    const isThere = last?.answer?.code !== 404;
    if (request.when === 'absent' && isThere) continue;
    if (request.when === 'present' && !isThere) continue;
    const explanation = await explainRequest(offline, who, request);
    if (request.when === undefined) last = explanation;
    explanations.push(explanation);
  }
  return explanations;
}

/** What impersonation needs: the user or account, and each group that was asked for. */
function impersonationQuestions({ name, groups }: Identity): AccessQuestion[] {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const may = { verb: 'impersonate', group: '' };
  const [, namespace = '', accountName = ''] = account ?? [];
  const user =
    account === null
      ? { ...may, resource: 'users', namespace: '', name }
      : { ...may, resource: 'serviceaccounts', namespace, name: accountName };
  // Those that every name brings along are not asked for.
  const asked = groups.filter((group) => !identityOf(name).groups.includes(group));
  return [
    user,
    ...asked.map((group) => ({ ...may, resource: 'groups', namespace: '', name: group })),
  ];
}

function toText(asked: Asked, caller: Caller, explanations: readonly Explanation[]): string {
  const who = caller.who === undefined ? 'the caller is nobody' : renderCaller(caller.who);
  return [
    asked.title,
    '',
    who,
    ...caller.lines.map((line) => `  ${line}`),
    '',
    explanations.map(renderExplanation).join('\n'),
  ].join('\n');
}

function toJson(caller: Caller, explanations: readonly Explanation[]): string {
  const { who, lines } = caller;
  const document = {
    caller: who === undefined ? null : { name: describeIdentity(who), groups: who.groups },
    found: lines,
    requests: explanations.map(toExplanationJson),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
