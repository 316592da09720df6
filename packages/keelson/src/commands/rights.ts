// `keelson who-can VERB RESOURCE` and `keelson what-can SUBJECT`: everyone who can do it, and all that
// they can do, with the paths of rights that imply others. Of RBAC it is what the objects say; nodes are
// asked one by one, for what they may do depends on what runs on them.

import type { Command } from 'commander';
import {
  askAuthorization,
  describeIdentity,
  findResource,
  heldRuleJson,
  identityJson,
  identityOf,
  parseIdentity,
  renderHolders,
  renderRights,
  UnreadableError,
  whatCan,
  whoCan,
  type AccessQuestion,
  type Holder,
  type Identity,
} from '@keelson/advisor';
import type { OfflineCluster } from '../analysis/offline-cluster.ts';
import {
  addSourceFlags,
  openAnalyzedCluster,
  runAnalysis,
  type AnalysisEnvironment,
  type SourceFlags,
} from './analysis-command.ts';

export interface WhoCanFlags extends SourceFlags {
  readonly namespace?: string;
  readonly system: boolean;
}
export interface WhatCanFlags extends SourceFlags {
  readonly group: readonly string[];
}

export function addRightsCommands(program: Command, environment: AnalysisEnvironment): void {
  addSourceFlags(
    program
      .command('who-can')
      .description('everyone who can do it, directly or by what their rights imply')
      .argument('<verb>')
      .argument('<resource>', 'pods, pods/log, deployments.apps, or a path such as /metrics')
      .argument('[name]', 'of one object'),
  )
    .option('-n, --namespace <name>', 'where; the whole cluster unless said')
    .option('--system', 'components of the control plane, too', false)
    .action((verb: string, resource: string, name: string | undefined, flags: WhoCanFlags) =>
      runAnalysis(environment, () => runWhoCan([verb, resource, name ?? ''], flags, environment)),
    );
  addSourceFlags(
    program
      .command('what-can')
      .description('what somebody can do, and what follows from it')
      .argument('<subject>', 'a user, User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME'),
  )
    .option(
      '--group <name>',
      'a group of the user; repeatable',
      (value: string, list: readonly string[]) => [...list, value],
      [],
    )
    .action((subject: string, flags: WhatCanFlags) =>
      runAnalysis(environment, () => runWhatCan(subject, flags, environment)),
    );
}

async function runWhoCan(
  [verb, resource, name]: readonly [verb: string, resource: string, name: string],
  flags: WhoCanFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const analyzed = await openAnalyzedCluster(flags, environment);
  try {
    const { offline } = analyzed;
    const question = questionOf([verb, resource, name], flags.namespace ?? '', offline);
    const holders = [...whoCan(offline.state, question), ...(await nodesWhoCan(offline, question))];
    environment.print(
      flags.output === 'json'
        ? holdersJson(question, holders)
        : renderHolders(question, holders, flags.system),
    );
    return 0;
  } finally {
    await analyzed.close();
  }
}

function questionOf(
  [verb, text, name]: readonly [string, string, string],
  namespace: string,
  { resources }: OfflineCluster,
): AccessQuestion {
  if (text.startsWith('/')) return { verb, url: text };
  const [parent = '', subresource = ''] = text.split('/');
  const { group, resource, namespaced } = findResource(resources, parent);
  return {
    verb,
    group,
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    namespace: namespaced ? namespace : '',
    name,
  };
}

/** The Node authorizer knows which objects belong to which node. */
async function nodesWhoCan(
  { cluster, state }: OfflineCluster,
  question: AccessQuestion,
): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const node of state.nodes) {
    const identity = identityOf(`system:node:${node}`, ['system:nodes']);
    const { isAllowed, authorizer } = await askAuthorization(cluster, identity, question);
    if (isAllowed && authorizer === 'Node') holders.push({ identity, path: [], rules: [] });
  }
  return holders;
}

async function runWhatCan(
  subject: string,
  flags: WhatCanFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const who = parseIdentity(subject, flags.group);
  if (who === undefined)
    throw new UnreadableError(`${JSON.stringify(subject)} is no user, group or service account`);
  const analyzed = await openAnalyzedCluster(flags, environment);
  try {
    const rights = whatCan(analyzed.offline.state, who);
    environment.print(
      flags.output === 'json'
        ? rightsJson(who, rights)
        : `${masterNote(who)}${renderRights(who, rights)}`,
    );
    return 0;
  } finally {
    await analyzed.close();
  }
}

function masterNote({ groups }: Identity): string {
  if (groups.includes('system:masters'))
    return 'As a member of system:masters: everything, whatever is stored.\n\n';
  if (groups.includes('system:nodes'))
    return 'As a node: besides, what the Node authorizer allows for the pods that run there.\n\n';
  return '';
}

function holdersJson(question: AccessQuestion, holders: readonly Holder[]): string {
  const document = {
    question,
    holders: holders.map(({ identity, path, rules }) => ({
      who: describeIdentity(identity),
      ...identityJson(identity),
      path: path.map(({ how, needs }) => ({ how, by: needs.map(heldRuleJson) })),
      rules: rules.map(heldRuleJson),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function rightsJson(who: Identity, { held, reached }: ReturnType<typeof whatCan>): string {
  const document = {
    who: describeIdentity(who),
    ...identityJson(who),
    held: held.map(heldRuleJson),
    implied: reached.map(({ path, held: there }) => ({
      path: path.map(({ how, needs }) => ({ how, by: needs.map(heldRuleJson) })),
      held: there.map(heldRuleJson),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
