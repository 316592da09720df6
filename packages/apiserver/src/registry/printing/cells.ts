// Texts that the table cells of many kinds share: ages, labels, selectors. What `kubectl get` shows
// comes from here, so the forms are those of Kubernetes' printers.

import { formatHumanDuration, type KubeObject } from '@keelson/apimachinery';

/** Shown where a value that should be there is not. */
export const unknownText = '<unknown>';
export const noneText = '<none>';
export const unsetText = '<unset>';

/** `5m12s` since a timestamp of the API; `<unknown>` without one. */
export function since(timestamp: string | null | undefined, nowMs: number): string {
  if (!timestamp) return unknownText;
  const then = Date.parse(timestamp);
  return Number.isNaN(then) ? unknownText : formatHumanDuration(nowMs - then);
}

/** The `Age` column. */
export function age(object: KubeObject, nowMs: number): string {
  return since(object.metadata.creationTimestamp, nowMs);
}

/** Cells of kinds that have no printer of their own: name and creation time. */
export function nameAndCreation(object: KubeObject): unknown[] {
  return [object.metadata.name ?? '', object.metadata.creationTimestamp ?? null];
}

/** `a=1,b=2` in the order of the keys, `<none>` when there are no labels. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  if (keys.length === 0) return noneText;
  return keys.map((key) => `${key}=${labels?.[key] ?? ''}`).join(',');
}

interface SelectorLike {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly values?: readonly string[] | null;
  }[];
}

/** `app=web,tier in (a,b),!old`; `<none>` for a selector without requirements. */
export function labelSelectorText(selector: SelectorLike | null | undefined): string {
  const requirements: [key: string, text: string][] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    requirements.push([key, `${key}=${value}`]);
  }
  for (const { key = '', operator, values } of selector?.matchExpressions ?? []) {
    const list = [...(values ?? [])].sort().join(',');
    if (operator === 'In') requirements.push([key, `${key} in (${list})`]);
    else if (operator === 'NotIn') requirements.push([key, `${key} notin (${list})`]);
    else if (operator === 'Exists') requirements.push([key, key]);
    else if (operator === 'DoesNotExist') requirements.push([key, `!${key}`]);
    else return '<error>';
  }
  if (requirements.length === 0) return noneText;
  requirements.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return requirements.map(([, text]) => text).join(',');
}
