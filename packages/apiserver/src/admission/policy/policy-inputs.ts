// What the expressions of a policy see of a request: objects as plain JSON, the request with the
// fields of an AdmissionRequest, the namespace with those fields of it that are shown, parameters.

import { asJson, type JsonObject, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import { fromJson, type CelResult, type JsonLike } from '@keelson/cel';
import { authorizerVariable, requestResourceVariable } from '@keelson/cel/kubernetes';
import type { AdmissionAttributes } from '../admission.ts';
import type { VersionedObjects } from '../request-versions.ts';
import type { MatchedResource } from './match-resources.ts';
import type { PolicyAuthorizer } from './policy-authorizer.ts';

/** Variables by name; each pass of expressions takes those that it may see. */
export type PolicyVariables = Readonly<Record<string, CelResult>>;

export interface PolicyInputs {
  /** object, oldObject, request, namespaceObject. */
  readonly request: PolicyVariables;
  /** authorizer, authorizer.requestResource. */
  readonly authorizer: PolicyVariables;
}

export interface PolicySubject {
  readonly attributes: AdmissionAttributes;
  readonly namespace: KubeObject | undefined;
  readonly authorizer: PolicyAuthorizer;
}

/**
 * What policies see of one request: in the version in which they see it, with the objects in that
 * version. All but the objects is made once, though many policies see it.
 */
export function createInputsOfRequest(
  subject: PolicySubject,
): (matched: MatchedResource, objects: VersionedObjects) => PolicyInputs {
  const { attributes, namespace } = subject;
  let request: { readonly matched: MatchedResource; readonly value: CelResult } | undefined;
  let shared:
    | (Pick<PolicyInputs, 'authorizer'> & { readonly namespaceObject: CelResult })
    | undefined;
  return (matched, objects) => {
    shared ??= {
      authorizer: authorizerInputs(subject),
      namespaceObject: namespace === undefined ? null : fromJson(shownNamespace(namespace)),
    };
    if (request === undefined || !isSameResource(request.matched, matched)) {
      request = { matched, value: fromJson(requestOf(attributes, matched)) };
    }
    return {
      request: {
        object: objectValue(objects.object),
        oldObject: objectValue(objects.oldObject),
        request: request.value,
        namespaceObject: shared.namespaceObject,
      },
      authorizer: shared.authorizer,
    };
  };
}

function isSameResource({ gvr: a, gvk: x }: MatchedResource, { gvr: b, gvk: y }: MatchedResource) {
  return (
    a.group === b.group &&
    a.version === b.version &&
    a.resource === b.resource &&
    x.group === y.group &&
    x.version === y.version &&
    x.kind === y.kind
  );
}

function authorizerInputs({ attributes, authorizer }: PolicySubject): PolicyVariables {
  const { gvr, subresource, namespace, name } = attributes;
  const { group, resource } = gvr;
  const own = { group, resource, subresource, namespace, name };
  return {
    authorizer: authorizerVariable(authorizer.variable),
    'authorizer.requestResource': requestResourceVariable(authorizer.variable, own),
  };
}

/** The variable `params`. */
export function paramsVariable(params: KubeObject | undefined): PolicyVariables {
  return { params: objectValue(params) };
}

function objectValue(object: KubeObject | undefined): CelResult {
  return object === undefined ? null : fromJson(asJson(object) as JsonLike);
}

/** Empty texts are not there, as in the JSON of an AdmissionRequest. */
function requestOf(attributes: AdmissionAttributes, matched: MatchedResource): JsonLike {
  const { subresource, user } = attributes;
  const { name: username, uid, groups, extra } = user;
  const hasExtra = Object.keys(extra).length > 0;
  return {
    kind: kindOf(matched),
    resource: resourceOf(matched),
    ...given({ subResource: subresource }),
    requestKind: kindOf(attributes),
    requestResource: resourceOf(attributes),
    ...given({ requestSubResource: subresource, name: nameOf(attributes) }),
    ...given({ namespace: attributes.namespace }),
    operation: attributes.operation,
    userInfo: {
      ...given({ username, uid }),
      ...(groups.length > 0 ? { groups } : {}),
      ...(hasExtra ? { extra } : {}),
    },
    dryRun: attributes.dryRun,
    options: attributes.options === undefined ? null : (asJson(attributes.options) as JsonLike),
  };
}

function kindOf({ gvk: { group, version, kind } }: MatchedResource): JsonLike {
  return { group, version, kind };
}

function resourceOf({ gvr: { group, version, resource } }: MatchedResource): JsonLike {
  return { group, version, resource };
}

function nameOf({ name, object }: AdmissionAttributes): string {
  return name === '' ? (object?.metadata.name ?? '') : name;
}

function given(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

const shownMetadata: readonly string[] =
  'name generateName namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations finalizers'.split(
    ' ',
  );

/** Owners and field managers are nobody's business here. */
function shownNamespace(namespace: KubeObject): JsonLike {
  const { metadata, spec, status } = asJson(namespace) as JsonObject;
  const shown = Object.entries((metadata ?? {}) as JsonObject).filter(([key]) =>
    shownMetadata.includes(key),
  );
  return {
    metadata: Object.fromEntries(shown) as Record<string, JsonValue>,
    spec: spec ?? {},
    status: status ?? {},
  } as JsonLike;
}
