// `keelson rbac diff A B`: how effective rights differ between two sets of files, or a set of files and
// a cluster. `keelson rbac from-audit LOG`: roles for what was done, and no more.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  describeChange,
  diffRights,
  proposeFromAudit,
  readAuditEvent,
  renderAuditProposals,
  renderRightsDiff,
  UnreadableError,
  type AuditedRequest,
} from '@keelson/advisor';
import { isJsonObject, parseJson } from '@keelson/apimachinery';
import {
  addSourceFlags,
  openAnalyzedCluster,
  runAnalysis,
  type AnalysisEnvironment,
  type SourceFlags,
} from './analysis-command.ts';

export interface FromAuditFlags extends SourceFlags {
  readonly grantEscalations: boolean;
}

export function addRbacCommand(program: Command, environment: AnalysisEnvironment): void {
  const rbac = program.command('rbac').description('compare and propose roles and bindings');
  addSourceFlags(
    rbac
      .command('diff')
      .description('how effective rights differ; exit code 1 when they do')
      .argument('<before>', 'file or directory, or `cluster` for the one of --kubeconfig')
      .argument('<after>', 'likewise'),
  ).action((before: string, after: string, flags: SourceFlags) =>
    runAnalysis(environment, () => runDiff([before, after], flags, environment)),
  );
  addSourceFlags(
    rbac
      .command('from-audit')
      .description('least-privilege roles for what an audit log says was done')
      .argument('<log>', 'JSON lines of audit.k8s.io/v1'),
  )
    .option('--grant-escalations', 'grant what leads to further rights, too', false)
    .action((log: string, flags: FromAuditFlags) =>
      runAnalysis(environment, () => runFromAudit(log, flags, environment)),
    );
}

async function runDiff(
  sides: readonly [before: string, after: string],
  flags: SourceFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const [before, after] = [
    await readSide(sides[0], flags, environment),
    await readSide(sides[1], flags, environment),
  ];
  const changes = diffRights(before, after);
  environment.print(
    flags.output === 'json'
      ? `${JSON.stringify(changes.map(describeChange), null, 2)}\n`
      : renderRightsDiff(changes),
  );
  return changes.length === 0 ? 0 : 1;
}

async function readSide(side: string, flags: SourceFlags, environment: AnalysisEnvironment) {
  const { state: _state, ...others } = flags;
  const source = side === 'cluster' ? others : { ...others, state: [side] };
  const analyzed = await openAnalyzedCluster(source, environment);
  const { state } = analyzed.offline;
  await analyzed.close();
  return state;
}

async function runFromAudit(
  log: string,
  flags: FromAuditFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const requests = readAuditLog(log);
  // Without a cluster there is what every cluster has.
  const source = flags.kubeconfig === undefined ? { ...flags, state: flags.state ?? [] } : flags;
  const analyzed = await openAnalyzedCluster(source, environment);
  try {
    const { grantEscalations } = flags;
    const proposals = proposeFromAudit(analyzed.offline.state, requests, { grantEscalations });
    environment.print(
      flags.output === 'json'
        ? `${JSON.stringify(proposals, null, 2)}\n`
        : renderAuditProposals(proposals),
    );
    return 0;
  } finally {
    await analyzed.close();
  }
}

/** Each request once, from the event of its end. */
function readAuditLog(path: string): AuditedRequest[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const ends = ['ResponseComplete', 'ResponseStarted'];
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    let event;
    try {
      event = parseJson(Buffer.from(line));
    } catch (cause) {
      throw new UnreadableError(`line ${index + 1} of ${path} is no JSON`, { cause });
    }
    if (!isJsonObject(event) || event['kind'] !== 'Event')
      throw new UnreadableError(`line ${index + 1} of ${path} is no event of audit.k8s.io`);
    const request = readAuditEvent(event);
    return ends.includes(request.stage) ? [request] : [];
  });
}
