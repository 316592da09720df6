// The specs that the server itself relies on: requests of masters are never queued, and every
// request matches something. Nobody may change them.

import type {
  FlowSchemaSpec,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';

export const exemptName = 'exempt';
export const catchAllName = 'catch-all';

const anyResource: ResourcePolicyRule = {
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  clusterScope: true,
  namespaces: ['*'],
};

function anythingOf(...groups: readonly string[]): FlowSchemaSpec['rules'] {
  return [
    {
      subjects: groups.map((name) => ({ kind: 'Group', group: { name } })),
      resourceRules: [anyResource],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    },
  ];
}

export const mandatoryFlowSchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  [exemptName]: {
    priorityLevelConfiguration: { name: exemptName },
    matchingPrecedence: 1,
    rules: anythingOf('system:masters'),
  },
  [catchAllName]: {
    priorityLevelConfiguration: { name: catchAllName },
    matchingPrecedence: 10_000,
    distinguisherMethod: { type: 'ByUser' },
    rules: anythingOf('system:unauthenticated', 'system:authenticated'),
  },
};

export const mandatoryPriorityLevels: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  [exemptName]: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  [catchAllName]: {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
  },
};
