// The built-in kinds and resources, from the generated tables. Loading this module reads the list
// of resources; schemas follow when they are asked for.

import resourceTable from '../generated/resources.json' with { type: 'json' };
import type { GroupVersionKind } from '../meta/group-version.ts';
import { formatApiVersion, parseApiVersion } from '../meta/group-version.ts';
import type {
  ResourceDefinition,
  SubresourceDefinition,
  TableColumn,
  Verb,
} from '../meta/resource.ts';
import { derivedVersions } from './derived-versions.ts';
import { tableStruct, tableStructNames } from './table.ts';
import type { StructType } from './types.ts';

const kinds = new Map<string, string>(Object.entries(resourceTable.kinds));
let resources: readonly ResourceDefinition[] | undefined;

/** Every resource that a stock server of the newest release serves, in its discovery order. */
export function builtinResources(): readonly ResourceDefinition[] {
  resources ??= servedRows.map(toResourceDefinition);
  return resources;
}

let optional: readonly ResourceDefinition[] | undefined;

/**
 * Resources in versions that are only served when asked for, or that only older releases served:
 * kinds that have no other versions, and other versions of the kinds above.
 */
export function optionalResources(): readonly ResourceDefinition[] {
  optional ??= [...optionalRows.map(toResourceDefinition), ...derivedResources()];
  return optional;
}

function derivedResources(): ResourceDefinition[] {
  return derivedVersions.flatMap(({ group, version, sibling, resources: names }) =>
    names.map((name) => {
      const row = tableRows.find(
        (r) => r.group === group && r.version === sibling && r.resource === name,
      );
      if (row === undefined) throw new Error(`the table lacks ${name}.${sibling}.${group}`);
      return toResourceDefinition({ ...row, version });
    }),
  );
}

/**
 * The struct of an OpenAPI definition name, `io.k8s.api.core.v1.PodSpec`; always the same object.
 */
export function builtinType(definitionName: string): StructType | undefined {
  return tableStruct(definitionName);
}

/** The names that `builtinType` knows, sorted. */
export function builtinTypeNames(): readonly string[] {
  return tableStructNames();
}

/**
 * The schema of a built-in kind: stored kinds, their lists, reviews, option kinds and the kinds
 * that every group has (`Status`, `DeleteOptions`, `WatchEvent` …).
 */
export function typeForKind(gvk: GroupVersionKind): StructType | undefined {
  const own = kinds.get(`${formatApiVersion(gvk)}.${gvk.kind}`) ?? derivedName(gvk);
  const name = own ?? kinds.get(`*.${gvk.kind}`);
  return name === undefined ? undefined : tableStruct(name);
}

function derivedName({ group, version, kind }: GroupVersionKind): string | undefined {
  const found = derivedVersions.find((d) => d.group === group && d.version === version);
  if (found === undefined) return undefined;
  const isKnown = optionalResources().some(
    (d) =>
      d.group === group && d.version === version && (kind === d.kind || kind === `${d.kind}List`),
  );
  return isKnown ? `${found.package}.${version}.${kind}` : undefined;
}

/** Built-in kinds with a group of their own; without those that every group has. */
export function builtinKinds(): readonly GroupVersionKind[] {
  const found: GroupVersionKind[] = [];
  for (const key of kinds.keys()) {
    const dot = key.lastIndexOf('.');
    const gv = parseApiVersion(key.slice(0, dot));
    if (gv !== undefined && gv.version !== '*') found.push({ ...gv, kind: key.slice(dot + 1) });
  }
  return found;
}

/** A row of the table, with what not all rows have. */
interface ResourceRow {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly SubresourceRow[];
  readonly storageVersion?: string;
  readonly storageVersionHash?: string;
  readonly keyPrefix?: string;
  readonly columns: readonly ColumnRow[];
  readonly fieldLabels: readonly string[];
}
interface SubresourceRow {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}
interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority: number;
  readonly text: string;
}
const servedRows: readonly ResourceRow[] = resourceTable.resources;
const optionalRows: readonly ResourceRow[] = resourceTable.optional;
const tableRows = [...servedRows, ...optionalRows];

function toResourceDefinition(row: ResourceRow): ResourceDefinition {
  const { group, version, resource, kind, singular, namespaced } = row;
  return {
    group,
    version,
    resource,
    kind,
    singular,
    namespaced,
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    verbs: row.verbs as Verb[],
    subresources: (row.subresources ?? []).map((sub) => toSubresource(row, sub)),
    fieldLabels: row.fieldLabels,
    columns: row.columns.map(toTableColumn),
    ...(row.storageVersion === undefined ? {} : { storageVersion: row.storageVersion }),
    ...(row.storageVersionHash === undefined ? {} : { storageVersionHash: row.storageVersionHash }),
    ...(row.keyPrefix === undefined ? {} : { keyPrefix: row.keyPrefix }),
    get type() {
      const type = typeForKind({ group, version, kind });
      if (type === undefined) throw new Error(`the schema table lacks ${group}/${version} ${kind}`);
      return type;
    },
  };
}

/** `text` is a description, or `@` or `¶` and the field whose documentation it is. */
function toTableColumn({ text, ...column }: ColumnRow): TableColumn {
  return {
    ...column,
    get description() {
      if (text.startsWith('@')) return documentationOf(text.slice(1));
      return text.startsWith('¶') ? withLineBreaks(documentationOf(text.slice(1))) : text;
    },
  };
}

function documentationOf(path: string): string {
  const dot = path.lastIndexOf('.');
  const struct = tableStruct(path.slice(0, dot));
  const field = struct?.fields.find(({ name }) => name === path.slice(dot + 1));
  if (field === undefined) throw new Error(`a column refers to ${path}, which does not exist`);
  return field.description ?? '';
}

// The documentation has a space for each line break: two between words are the end of a paragraph,
// more are a new line and its indentation.
function withLineBreaks(text: string): string {
  return text.replace(/(?<=\S) {2}(?=[^\s=])/g, '\n\n').replace(/(?<=\S) ( {2,})(?=\S)/g, '\n$1');
}

/** A subresource without a version serves kinds of its resource's own version. */
function toSubresource(row: ResourceRow, sub: SubresourceRow): SubresourceDefinition {
  const own = sub.version === '';
  const gvk = {
    group: own ? row.group : sub.group,
    version: own ? row.version : sub.version,
    kind: sub.kind,
  };
  return { name: sub.name, verbs: sub.verbs, gvk };
}
