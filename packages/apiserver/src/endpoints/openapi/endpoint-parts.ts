// What one endpoint adds to the documents of one OpenAPI version, as JSON text: its paths, its own
// schemas, and the names of built-in schemas that it refers to. Made once for an endpoint; an
// endpoint is replaced when anything about it changes.

import {
  builtinKinds,
  encodeJsonText,
  nextTurn,
  typeForKind,
  type GroupVersionKind,
} from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import type { PathOperations } from './operations.ts';
import { pathsOf } from './operations.ts';
import {
  createSchemaCollector,
  type OpenApiSchema,
  type OpenApiVersion,
  type SchemaCollector,
} from './schemas.ts';

/** One member of a JSON object: its name, and its value as text. */
export type Member = readonly [name: string, json: string];

export interface EndpointParts {
  /** In no particular order. */
  readonly paths: readonly Member[];
  readonly schemas: readonly Member[];
  /** Built-in schemas that are referred to, directly or not. */
  readonly shared: ReadonlySet<string>;
}
export interface PartsMaker {
  /** Undefined when they were not made yet. */
  known(endpoint: ResourceEndpoint): EndpointParts | undefined;
  of(endpoint: ResourceEndpoint): EndpointParts;
  sharedSchema(name: string): string;
}
export type PathItemMaker = (
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
) => object;

/** Others get a turn after parts that had to be made. */
export async function partsOf(
  maker: PartsMaker,
  endpoint: ResourceEndpoint,
): Promise<EndpointParts> {
  const known = maker.known(endpoint);
  if (known !== undefined) return known;
  const made = maker.of(endpoint);
  await nextTurn();
  return made;
}

/** What several endpoints add together. */
export async function allPartsOf(
  maker: PartsMaker,
  endpoints: Iterable<ResourceEndpoint>,
): Promise<EndpointParts> {
  const paths: Member[] = [];
  const schemas: Member[] = [];
  const shared = new Set<string>();
  for (const endpoint of endpoints) {
    const made = await partsOf(maker, endpoint);
    paths.push(...made.paths);
    schemas.push(...made.schemas);
    for (const name of made.shared) shared.add(name);
  }
  return { paths, schemas, shared };
}

/** The inside of a JSON object, its members by name. */
export function membersText(members: readonly Member[]): string {
  return members
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, json]) => `${encodeJsonText(name)}:${json}`)
    .join(',');
}

export function createPartsMaker(version: OpenApiVersion, pathItem: PathItemMaker): PartsMaker {
  const made = new WeakMap<ResourceEndpoint, EndpointParts>();
  const shared = createSharedSchemas(version);
  const make = (endpoint: ResourceEndpoint): EndpointParts => {
    const used = new Set<string>();
    const collector = shared.collecting(used);
    const paths = pathsOf(endpoint.definition, endpoint.custom).map(
      (path) => [path.path, encodeJsonText(pathItem(endpoint, path, collector))] as const,
    );
    const own = endpoint.publishedSchemas?.(version) ?? {};
    const schemas = Object.entries(own).map(
      ([name, schema]) => [name, encodeJsonText(schema)] as const,
    );
    for (const schema of Object.values(own)) shared.use(schema, used);
    for (const [name] of schemas) used.delete(name);
    return { paths, schemas, shared: shared.closure(used) };
  };
  return {
    known: (endpoint) => made.get(endpoint),
    of(endpoint) {
      let parts = made.get(endpoint);
      if (parts === undefined) made.set(endpoint, (parts = make(endpoint)));
      return parts;
    },
    sharedSchema: shared.text,
  };
}

function createSharedSchemas(version: OpenApiVersion) {
  const collector = createSchemaCollector(version, kindsByBuiltin());
  const texts = new Map<string, string>();
  const references = new Map<string, ReadonlySet<string>>();
  const directlyFrom = (name: string): ReadonlySet<string> => {
    let found = references.get(name);
    if (found === undefined) {
      const schema = collector.schema(name);
      references.set(name, (found = schema === undefined ? new Set() : referencesIn(schema)));
    }
    return found;
  };
  return {
    /** A collector that remembers in `used` what it was asked for. */
    collecting: (used: Set<string>): SchemaCollector => ({
      ...collector,
      reference(type) {
        used.add(type.name);
        return collector.reference(type);
      },
      named(name) {
        used.add(name);
        return collector.named(name);
      },
    }),
    /** Adds what a schema of its own refers to. */
    use(schema: object, used: Set<string>): void {
      for (const name of referencesIn(schema)) used.add(name);
    },
    closure(names: ReadonlySet<string>): ReadonlySet<string> {
      const all = new Set(names);
      for (const name of all) for (const next of directlyFrom(name)) all.add(next);
      return all;
    },
    text(name: string): string {
      let text = texts.get(name);
      if (text === undefined)
        texts.set(name, (text = encodeJsonText(collector.schema(name) ?? { type: 'object' })));
      return text;
    },
  };
}

function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value as OpenApiSchema)) {
      if (key === '$ref' && typeof inner === 'string')
        found.add(inner.slice(inner.lastIndexOf('/') + 1));
      else referencesIn(inner, found);
    }
  return found;
}

/** Which built-in kinds a definition is the schema of. */
function kindsByBuiltin(): (definition: string) => readonly GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind[]>();
  for (const gvk of builtinKinds()) {
    const name = typeForKind(gvk)?.name;
    if (name === undefined) continue;
    const list = kinds.get(name) ?? [];
    const isKnown = list.some(
      (k) => k.group === gvk.group && k.version === gvk.version && k.kind === gvk.kind,
    );
    if (!isKnown) list.push(gvk);
    kinds.set(name, list);
  }
  return (definition) => kinds.get(definition) ?? [];
}
