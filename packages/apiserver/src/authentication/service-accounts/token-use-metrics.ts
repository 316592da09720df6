// How service account tokens are used: which come from Secrets, which should have been renewed.

import type { Metrics } from '../../metrics.ts';

const families = {
  legacy: ['serviceaccount_legacy_tokens_total', 'Cumulative legacy service account tokens used'],
  stale: [
    'serviceaccount_stale_tokens_total',
    'Cumulative stale projected service account tokens used',
  ],
  valid: [
    'serviceaccount_valid_tokens_total',
    'Cumulative valid projected service account tokens used',
  ],
  auto: [
    'serviceaccount_legacy_auto_token_uses_total',
    'Cumulative auto-generated legacy tokens used',
  ],
  manual: [
    'serviceaccount_legacy_manual_token_uses_total',
    'Cumulative manually created legacy tokens used',
  ],
  'invalid-auto': [
    'serviceaccount_invalid_legacy_auto_token_uses_total',
    'Cumulative invalid auto-generated legacy tokens used',
  ],
} as const;

export type TokenUse = keyof typeof families;

export interface TokenUseCounters {
  add(use: TokenUse): void;
}

export function createTokenUseCounters(metrics: Metrics): TokenUseCounters {
  const counts = new Map<TokenUse, number>();
  for (const [use, [name, help]] of Object.entries(families) as [
    TokenUse,
    readonly [string, string],
  ][]) {
    counts.set(use, 0);
    metrics.collect({ name, help, type: 'counter', read: () => [[{}, counts.get(use) ?? 0]] });
  }
  return { add: (use) => void counts.set(use, (counts.get(use) ?? 0) + 1) };
}
