// Namespaces that a suite takes for granted.

import { identityOf } from '../sources/object-names.ts';
import type { SourcedObject } from '../sources/source.ts';
import type { Suite } from './suite.ts';

/** The namespaces that a suite speaks of and nobody defines, as objects. */
export function missingNamespaces(suite: Suite): SourcedObject[] {
  const source = { file: suite.file, line: 1 };
  const objects = [
    ...suite.objects,
    ...suite.cases.flatMap(({ object, oldObject, given }) => [object, oldObject, ...given]),
  ].filter((one) => one !== undefined);
  const defined = new Set(
    objects
      .map(({ object }) => identityOf(object))
      .filter(({ kind, apiVersion }) => kind === 'Namespace' && apiVersion === 'v1')
      .map(({ name }) => name),
  );
  const named = new Set([
    ...suite.cases.map(({ namespace }) => namespace),
    ...objects.map(({ object }) => identityOf(object).namespace),
  ]);
  const builtin = ['', 'kube-system', 'kube-public', 'kube-node-lease'];
  return [...named]
    .filter((name) => !defined.has(name) && !builtin.includes(name))
    .map((name) => ({
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      source,
    }));
}
