// One request to the API as a command line, a manifest or an audit event means it: the question for
// authorization, and the request itself where it can be sent without doing anything.

import type { GroupVersionKind, GroupVersionResource, JsonValue } from '@keelson/apimachinery';
import type { DecisionRequest } from '../cluster.ts';
import type { AccessQuestion } from '../rbac/rules.ts';

/** A resource that the server has, as discovery tells. */
export interface KnownResource extends GroupVersionResource, GroupVersionKind {
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
}

export interface ApiRequestMeant {
  readonly question: AccessQuestion;
  /**
   * Absent when sending it would do something (connections, watches), or its body is not known:
   * authorization is then asked alone.
   */
  readonly request?: Pick<DecisionRequest, 'method' | 'path' | 'body' | 'contentType'>;
  /** It is sent only when what was read before is there, or is not. */
  readonly when?: 'present' | 'absent';
}

/** What cannot be read, in one sentence. */
export class UnreadableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnreadableError';
  }
}

export interface ResourceTarget {
  readonly resource: KnownResource;
  readonly subresource?: string;
  readonly namespace: string;
  readonly name: string;
}

/** `verb` on the target, and how it is sent if it can be. */
export function resourceRequest(
  verb: string,
  { resource, subresource = '', namespace, name }: ResourceTarget,
  body?: JsonValue,
): ApiRequestMeant {
  const place = resource.namespaced ? namespace : '';
  const full = subresource === '' ? resource.resource : `${resource.resource}/${subresource}`;
  const question = { verb, group: resource.group, resource: full, namespace: place, name };
  const path = pathOf(resource, {
    subresource,
    namespace: place,
    name: verb === 'create' ? '' : name,
  });
  switch (verb) {
    case 'get':
      // What a subresource answers may be a stream.
      return subresource === '' ? { question, request: { method: 'GET', path } } : { question };
    case 'list':
      return { question, request: { method: 'GET', path: `${path}?limit=1` } };
    case 'delete':
      return { question, request: { method: 'DELETE', path: `${path}?dryRun=All` } };
    case 'create':
      if (body === undefined || subresource !== '')
        return { question: { ...question, name: createdName(subresource, name) } };
      return {
        question: { ...question, name: '' },
        request: { method: 'POST', path: `${path}?dryRun=All`, body },
      };
    case 'patch': {
      if (body === undefined) return { question };
      const contentType = 'application/apply-patch+yaml';
      const query = 'fieldManager=kubectl&force=true&dryRun=All';
      return {
        question,
        request: { method: 'PATCH', path: `${path}?${query}`, body, contentType },
      };
    }
    case 'update':
      return body === undefined
        ? { question }
        : { question, request: { method: 'PUT', path: `${path}?dryRun=All`, body } };
    default:
      return { question };
  }
}

/** The name of what is created is in its body; that of what a subresource belongs to in the URL. */
const createdName = (subresource: string, name: string) => (subresource === '' ? '' : name);

function pathOf(
  { group, version, resource }: KnownResource,
  place: { readonly subresource: string; readonly namespace: string; readonly name: string },
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const parts = [resource, place.name, place.subresource].filter((part) => part !== '');
  const inside = place.namespace === '' ? '' : `/namespaces/${encodeURIComponent(place.namespace)}`;
  return `${root}${inside}/${parts.map(encodeURIComponent).join('/')}`;
}

/** By plural, singular or short name, kind, or any of them with a group: `deploy`, `Role.rbac.authorization.k8s.io`. */
export function findResource(resources: readonly KnownResource[], text: string): KnownResource {
  const [name = '', ...rest] = text.toLowerCase().split('.');
  const group = rest.join('.');
  const isMeant = (r: KnownResource) =>
    r.resource === name || r.kind.toLowerCase() === name || r.shortNames.includes(name);
  const found = resources.find(
    (r) => isMeant(r) && (group === '' || r.group === group || `${r.version}.${r.group}` === group),
  );
  if (found === undefined)
    throw new UnreadableError(`the server has no resource type ${JSON.stringify(text)}`);
  return found;
}
