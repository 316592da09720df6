// The request that a case stands for.

import type { JsonObject } from '@keelson/apimachinery';
import type { AdvisedCluster, DecisionRequest } from '../cluster.ts';
import { identityOf, namespaceOf } from '../sources/object-names.ts';
import type { ResourcePaths } from '../fixtures/resource-paths.ts';
import { SourceError, type SourcedObject } from '../sources/source.ts';
import type { TestCase } from './suite.ts';

/** Throws SourceError when the kind of its object is not served. */
export async function requestOf(
  one: TestCase,
  cluster: AdvisedCluster,
  paths: ResourcePaths,
): Promise<DecisionRequest> {
  const subject = one.oldObject ?? one.object;
  if (subject === undefined) throw new SourceError(one.source, 'there is no object');
  // A subresource's own object (Binding, Scale) is asked of the object that it is of.
  const path = await paths.find(cluster, subject);
  const { name } = identityOf(subject.object);
  const collection = path.collection(namespaceOf(subject.object, one.namespace));
  const isCollection = one.operation === 'CREATE' && one.subresource === '';
  const base = isCollection ? collection : `${collection}/${encodeURIComponent(name)}`;
  const url = one.subresource === '' ? base : `${base}/${one.subresource}`;
  const user = one.user === undefined ? {} : { user: one.user };
  return { ...user, path: url + queryOf(one), ...bodyOf(one) };
}

function queryOf({ query, dryRun }: TestCase): string {
  const parameters = new URLSearchParams();
  for (const [key, values] of Object.entries(query))
    for (const value of values) parameters.append(key, value);
  if (dryRun) parameters.append('dryRun', 'All');
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

type Body = Pick<DecisionRequest, 'method' | 'body' | 'contentType'>;

function bodyOf({ operation, object, patch }: TestCase): Body {
  switch (operation) {
    case 'DELETE':
      return { method: 'DELETE' };
    case 'CONNECT':
      return { method: 'POST' };
    case 'CREATE':
      return { method: 'POST', ...sent(object) };
    case 'UPDATE':
      return patch === undefined
        ? { method: 'PUT', ...sent(object) }
        : { method: 'PATCH', body: patch, contentType: 'application/merge-patch+json' };
  }
}

function sent(object: SourcedObject | undefined): { readonly body?: JsonObject } {
  return object === undefined ? {} : { body: object.object };
}
