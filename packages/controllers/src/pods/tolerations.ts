// Whether a pod bears a taint of a node.

import type { Taint, Toleration } from '@keelson/apimachinery/types/core.v1';

export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

export function tolerates(
  { key = '', operator = '', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  switch (operator) {
    case 'Exists':
      return true;
    case '':
    case 'Equal':
      return key !== '' && value === (taint.value ?? '');
    case 'Gt':
    case 'Lt':
      return comparesTo(operator, value, taint.value ?? '');
    default:
      return false;
  }
}

/** KEP-5471: the taint's number is beyond the toleration's. */
function comparesTo(operator: 'Gt' | 'Lt', bound: string, value: string): boolean {
  const number = /^-?(0|[1-9][0-9]*)$/;
  if (!number.test(bound) || !number.test(value)) return false;
  return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}
