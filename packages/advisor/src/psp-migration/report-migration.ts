// The plan for people, and as manifests.

import { encodeYaml } from '@keelson/apimachinery';
import type { MigrationPlan, NamespacePlan, PodPlan, PolicyPlan } from './plan-migration.ts';

export function formatMigrationReport(plan: MigrationPlan): string {
  const lines = [
    ...plan.namespaces.flatMap(namespaceLines),
    ...plan.policies.flatMap(policyLines),
    ...(plan.ignored.length > 0 ? [`not looked at: ${plan.ignored.join(', ')}`, ''] : []),
    'Levels say nothing about read-only root file systems, allowed host paths, drivers, ids and runtime classes:',
    'what the policies restricted there needs policies of its own, see examples/policies.',
  ];
  return `${lines.join('\n')}\n`;
}

export function formatMigrationManifests({ manifests }: MigrationPlan): string {
  return manifests.map((manifest) => encodeYaml(manifest)).join('---\n');
}

function namespaceLines({ namespace, level, version, pods, obstacles }: NamespacePlan): string[] {
  return [
    `namespace ${namespace}: ${level} (${version})`,
    ...(pods.length === 0 ? ['  nothing runs here'] : pods.map(podLine)),
    ...obstacles.map(
      ({ owner, level: tighter, reason }) => `  not ${tighter}: ${owner}: ${reason}`,
    ),
    '',
  ];
}

function podLine({ owner, serviceAccount, policy, isMutated, refusal }: PodPlan): string {
  const by =
    policy === undefined
      ? 'no policy that it may use admits it'
      : `policy ${policy}${isMutated ? ', which changes it' : ''}`;
  const result = refusal === undefined ? 'admitted' : `REFUSED: ${refusal}`;
  return `  ${owner} (service account ${serviceAccount}): ${by}; with the plan ${result}`;
}

function policyLines({ name, accounts, lost }: PolicyPlan): string[] {
  if (accounts.length === 0) return [`policy ${name}: decides for nothing that was given`, ''];
  return [
    `policy ${name}: decides for ${accounts.join(', ')}`,
    ...lost.map(
      (one) => `  would be lost, is given by MutatingAdmissionPolicy psp-${name}: ${one}`,
    ),
    '',
  ];
}
