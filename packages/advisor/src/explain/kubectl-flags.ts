// The flags of kubectl as far as they change which requests are sent. Forms: `--name=value`,
// `--name value`, `-n value`, `-nvalue`, `-it`; everything after `--` is no flag. A flag that is not
// known is refused: whether a value follows it, and what it does to the request, would be a guess.

import { UnreadableError } from './api-request.ts';

export interface KubectlArguments {
  readonly words: readonly string[];
  /** After `--`. */
  readonly rest: readonly string[];
  flag(name: string): string | undefined;
  flags(name: string): readonly string[];
  has(name: string): boolean;
}

/** By their long names. */
const withValue = new Set(
  [
    'as as-group as-uid as-user-extra cluster context kubeconfig namespace request-timeout server token',
    'user certificate-authority client-certificate client-key tls-server-name cache-dir v profile',
    'filename kustomize output selector field-selector subresource chunk-size sort-by template',
    'label-columns raw image replicas patch type container since since-time tail limit-bytes timeout',
    'for field-manager grace-period cascade dry-run address port target-port protocol name clusterrole',
    'role group serviceaccount verb resource resource-name from-literal from-file from-env-file env',
    'labels overrides restart command schedule duration audience bound-object-kind bound-object-name',
    'max-log-requests pod-running-timeout current-replicas resource-version to-revision revision',
    'validate non-resource-url aggregation-rule docker-server docker-username docker-password',
    'docker-email cert key class rule default-backend annotation',
  ].flatMap((line) => line.split(' ')),
);
const withoutValue = new Set(
  [
    'all all-namespaces watch watch-only recursive force now wait ignore-not-found stdin tty quiet',
    'follow previous timestamps prefix all-containers show-labels show-kind no-headers overwrite local',
    'server-side force-conflicts list insecure-skip-tls-verify rm attach append-hash save-config',
    'show-managed-fields show-events windows-line-endings prune delete-emptydir-data ignore-daemonsets',
    'disable-eviction warnings-as-errors match-server-version ignore-errors server-print',
    'insecure-skip-tls-verify-backend dry-run no-wait containers',
  ].flatMap((line) => line.split(' ')),
);
const short: Readonly<Record<string, string>> = {
  n: 'namespace',
  A: 'all-namespaces',
  f: 'filename',
  k: 'kustomize',
  o: 'output',
  l: 'selector',
  w: 'watch',
  i: 'stdin',
  t: 'tty',
  q: 'quiet',
  c: 'container',
  p: 'patch',
  L: 'label-columns',
  R: 'recursive',
  s: 'server',
  v: 'v',
};
/** `-f` follows a log, and names a file elsewhere. */
const shortForLogs: typeof short = { ...short, f: 'follow', p: 'previous' };

export function readKubectlArguments(words: readonly string[]): KubectlArguments {
  const found = new Map<string, string[]>();
  const plain: string[] = [];
  const add = (name: string, value: string) => found.set(name, [...(found.get(name) ?? []), value]);
  const end = words.indexOf('--');
  const before = end < 0 ? words : words.slice(0, end);
  const letters = before.includes('logs') ? shortForLogs : short;
  for (let i = 0; i < before.length; i++) {
    const word = before[i] ?? '';
    if (!word.startsWith('-') || word === '-') {
      plain.push(word);
      continue;
    }
    for (const { name, value } of splitFlag(word, letters)) {
      if (value !== undefined) add(name, value);
      else if (withoutValue.has(name)) add(name, 'true');
      else if (i + 1 < before.length) add(name, before[++i] ?? '');
      else throw new UnreadableError(`--${name} of kubectl needs a value`);
    }
  }
  return {
    words: plain,
    rest: end < 0 ? [] : words.slice(end + 1),
    flag: (name) => found.get(name)?.at(-1),
    flags: (name) => found.get(name) ?? [],
    has: (name) => (found.get(name)?.at(-1) ?? 'false') !== 'false',
  };
}

/** `-it` are two flags, `-nshop` is one with its value. */
function splitFlag(
  word: string,
  known: typeof short,
): { readonly name: string; readonly value?: string }[] {
  if (word.startsWith('--')) {
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    assertKnown(name, word);
    return [value === undefined ? { name } : { name, value }];
  }
  const letters = word.slice(1);
  const [first = ''] = letters;
  const name = known[first] ?? '';
  assertKnown(name, word);
  if (letters.length === 1) return [{ name }];
  if (!withoutValue.has(name)) return [{ name, value: letters.slice(1).replace(/^=/, '') }];
  return [{ name }, ...splitFlag(`-${letters.slice(1)}`, known)];
}

function assertKnown(name: string, word: string): void {
  if (!withValue.has(name) && !withoutValue.has(name))
    throw new UnreadableError(`${word} is no flag of kubectl that is understood here`);
}
