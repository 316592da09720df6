// A label selector as Go's generated `String` prints it, which some messages and columns show.

import { compareGoStrings } from '../go-string.ts';
import type { LabelSelector } from './label-selector.ts';

/** `&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:…,}`. */
export function formatGoLabelSelector(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).toSorted(([a], [b]) =>
    compareGoStrings(a, b),
  );
  const labelsText = labels.map(([key, value]) => `${key}: ${value},`).join('');
  const requirements = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labelsText}},MatchExpressions:[]LabelSelectorRequirement{${requirements.join('')}},}`;
}
