// The endpoints of all built-in resources: definitions from the generated table, strategies and
// handlers from the lists of their groups. Versions of one kind share its store.

import {
  builtinResources,
  createFieldManager,
  optionalResources,
  formatApiVersion,
  type Clock,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import type { ConnectHandler, CreateHandler, ProjectionHandler, ReadHandler } from './handlers.ts';
import type { ResourceEndpoint, VersionConversion } from './resource-endpoint.ts';
import type { StoreDependencies, StoreScope } from './store-types.ts';
import type { Strategy } from './strategy.ts';

export interface BuiltinParts {
  /** By group and resource: `apps/deployments`, `/pods`. */
  readonly strategies: Readonly<Record<string, Strategy>>;
  /** By group, version and resource, for versions that are not the stored one. */
  readonly conversions: Readonly<Record<string, VersionConversion>>;
  readonly creates: readonly CreateHandler[];
  readonly reads: readonly ReadHandler[];
  readonly projections: readonly ProjectionHandler[];
  readonly connects: readonly ConnectHandler[];
}

export function createBuiltinEndpoints(
  parts: BuiltinParts,
  dependencies: StoreDependencies,
): ResourceEndpoint[] {
  const definitions = [...builtinResources(), ...optionalResources()];
  const scopes = new Map<string, StoreScope>();
  const scopeOf = (definition: ResourceDefinition): StoreScope | undefined => {
    const { keyPrefix } = definition;
    if (keyPrefix === undefined) return undefined;
    let scope = scopes.get(keyPrefix);
    if (scope === undefined) {
      const stored = storedDefinition(definitions, definition);
      scope = {
        ...dependencies,
        definition: stored,
        strategy: strategyOf(parts, stored),
        keyPrefix,
      };
      scopes.set(keyPrefix, scope);
    }
    return scope;
  };
  return definitions.map((definition) =>
    endpointOf(definition, parts, scopeOf(definition), dependencies.clock),
  );
}

function strategyOf(parts: BuiltinParts, definition: ResourceDefinition): Strategy {
  return parts.strategies[`${definition.group}/${definition.resource}`] ?? {};
}

/**
 * The definition of the version in which the kind is stored; the first served one when that is not
 * served.
 */
function storedDefinition(
  all: readonly ResourceDefinition[],
  definition: ResourceDefinition,
): ResourceDefinition {
  const sharing = all.filter((d) => d.keyPrefix === definition.keyPrefix);
  return (
    sharing.find((d) => formatApiVersion(d) === definition.storageVersion) ??
    sharing[0] ??
    definition
  );
}

function endpointOf(
  definition: ResourceDefinition,
  parts: BuiltinParts,
  scope: StoreScope | undefined,
  clock: Clock,
): ResourceEndpoint {
  const own = <T extends { readonly resource: { group: string; resource: string } }>(
    handlers: readonly T[],
  ) =>
    handlers.filter(
      (h) => h.resource.group === definition.group && h.resource.resource === definition.resource,
    );
  const creates = own(parts.creates);
  const conversion =
    scope === undefined || scope.definition === definition
      ? undefined
      : parts.conversions[`${definition.group}/${definition.version}/${definition.resource}`];
  const [read] = own(parts.reads);
  const direct = creates.find((h) => h.subresource === '');
  const stored = scope?.strategy ?? strategyOf(parts, definition);
  const key = `${definition.group}/${definition.version}/${definition.resource}`;
  const strategy =
    conversion === undefined
      ? stored
      : { ...stored, ...conversion.strategy?.(stored), ...parts.strategies[key] };
  return {
    definition,
    strategy,
    custom: false,
    ...(scope === undefined
      ? {}
      : {
          scope: conversion === undefined ? scope : { ...scope, strategy },
          fieldManager: createFieldManager({ type: definition.type, clock }),
        }),
    ...(conversion === undefined ? {} : { conversion }),
    ...(direct === undefined ? {} : { createHandler: direct }),
    ...(read === undefined ? {} : { readHandler: read }),
    subresourceCreates: new Map(
      creates.filter((h) => h.subresource !== '').map((h) => [h.subresource, h]),
    ),
    projections: new Map(own(parts.projections).map((h) => [h.subresource, h])),
    connects: new Map(own(parts.connects).map((h) => [h.subresource, h])),
  };
}
