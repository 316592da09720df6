// The fields of the file of `--authorization-config` by release, so that it is decoded strictly: a
// field that the release does not know is an error, and so is one that is there twice.

import type { Field, StructType, TypeRef } from '@keelson/apimachinery';

export const configurationKind = 'AuthorizationConfiguration';

/** Versions by the minor version of the release that first serves them. */
const versionsSince: Readonly<Record<string, number>> = {
  'apiserver.config.k8s.io/v1alpha1': 29,
  'apiserver.config.k8s.io/v1beta1': 30,
  'apiserver.config.k8s.io/v1': 32,
};

export function isServedVersion(apiVersion: string, minor: number): boolean {
  const since = Object.hasOwn(versionsSince, apiVersion) ? versionsSince[apiVersion] : undefined;
  return since !== undefined && since <= minor;
}

interface FieldRow {
  readonly name: string;
  readonly type: TypeRef;
  readonly goType: string;
  /** Minor version of the first release that has it. */
  readonly since?: number;
}

const text = (name: string): FieldRow => ({ name, type: { kind: 'string' }, goType: 'string' });
const duration = (name: string): FieldRow => ({
  name,
  type: { kind: 'duration' },
  goType: 'v1.Duration',
});
const bool = (name: string, since: number): FieldRow => ({
  name,
  type: { kind: 'bool' },
  goType: 'bool',
  since,
});
const struct = (name: string, type: StructType): FieldRow => ({
  name,
  type: { kind: 'struct', type },
  goType: type.goName,
});
const list = (name: string, items: StructType): FieldRow => ({
  name,
  type: {
    kind: 'list',
    items: { kind: 'struct', type: items },
    listType: 'atomic',
    mapKeys: [],
  },
  goType: `[]${items.goName}`,
});

function structType(goName: string, minor: number, rows: readonly FieldRow[]): StructType {
  const fields = rows
    .filter(({ since = 0 }) => since <= minor)
    .map(({ name, type, goType }): Field => ({
      name,
      type,
      goType,
      presence: 'pointer',
      required: false,
      protobuf: 0,
    }));
  return {
    name: `apiserver.${goName}`,
    goName,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    atomic: false,
    preserveUnknown: false,
  };
}

/** The type of the file for a release. */
export function configurationType(minor: number): StructType {
  const connection = structType('WebhookConnectionInfo', minor, [
    text('type'),
    text('kubeConfigFile'),
  ]);
  const condition = structType('WebhookMatchCondition', minor, [text('expression')]);
  const webhook = structType('WebhookConfiguration', minor, [
    duration('authorizedTTL'),
    bool('cacheAuthorizedRequests', 34),
    duration('unauthorizedTTL'),
    bool('cacheUnauthorizedRequests', 34),
    duration('timeout'),
    text('subjectAccessReviewVersion'),
    text('matchConditionSubjectAccessReviewVersion'),
    text('failurePolicy'),
    struct('connectionInfo', connection),
    list('matchConditions', condition),
  ]);
  const authorizer = structType('AuthorizerConfiguration', minor, [
    text('type'),
    text('name'),
    struct('webhook', webhook),
  ]);
  return structType(configurationKind, minor, [
    text('kind'),
    text('apiVersion'),
    list('authorizers', authorizer),
  ]);
}
