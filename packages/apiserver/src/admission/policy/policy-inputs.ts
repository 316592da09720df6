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
  /** The version in which the policy sees the request. */
  readonly matched: MatchedResource;
  /** The objects in that version. */
  readonly objects: VersionedObjects;
  readonly namespace: KubeObject | undefined;
  readonly authorizer: PolicyAuthorizer;
}

export function createPolicyInputs(subject: PolicySubject): PolicyInputs {
  const { attributes, matched, objects, namespace, authorizer } = subject;
  const { gvr, subresource, name } = attributes;
  return {
    request: {
      object: objectValue(objects.object),
      oldObject: objectValue(objects.oldObject),
      request: fromJson(requestOf(attributes, matched)),
      namespaceObject: namespace === undefined ? null : fromJson(shownNamespace(namespace)),
    },
    authorizer: {
      authorizer: authorizerVariable(authorizer.variable),
      'authorizer.requestResource': requestResourceVariable(authorizer.variable, {
        group: gvr.group,
        resource: gvr.resource,
        subresource,
        namespace: attributes.namespace,
        name,
      }),
    },
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
