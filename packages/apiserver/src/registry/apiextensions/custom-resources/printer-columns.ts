// Table columns of custom resources: the name, then the printer columns of the definition, or the
// age when it has none.

import {
  asJson,
  formatHumanDuration,
  type JsonValue,
  type KubeObject,
  type TableColumn,
} from '@keelson/apimachinery';
import { parseJsonPath, type JsonPath } from './json-path.ts';

export interface PrinterColumn {
  readonly name?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath?: string;
}

export interface PrinterTable {
  readonly columns: readonly TableColumn[];
  cells(object: KubeObject, nowMs: number): unknown[];
}

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const ageDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: nameDescription,
  priority: 0,
};
const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: ageDescription,
  jsonPath: '.metadata.creationTimestamp',
};

/** COMPAT: one column whose path cannot be parsed leaves only the columns before it. */
export function createPrinterTable(declared: readonly PrinterColumn[] | undefined): PrinterTable {
  const columns: TableColumn[] = [nameColumn];
  const cells: ((root: JsonValue, nowMs: number) => unknown)[] = [];
  for (const column of declared?.length ? declared : [ageColumn]) {
    const path = parsePath(column.jsonPath ?? '');
    if (!path) break;
    const { name = '', type = 'string', format = '', priority = 0 } = column;
    const description =
      column.description ||
      `Custom resource definition column (in JSONPath format): ${column.jsonPath}`;
    columns.push({ name, type, format, description, priority });
    cells.push((root, nowMs) => cell(path, root, { type, nowMs }));
  }
  return {
    columns,
    cells: (object, nowMs) => {
      const root = asJson(object);
      return [object.metadata.name ?? '', ...cells.map((make) => make(root, nowMs))];
    },
  };
}

function parsePath(text: string): JsonPath | undefined {
  try {
    return parseJsonPath(text);
  } catch {
    return undefined;
  }
}

interface CellOptions {
  readonly type: string;
  readonly nowMs: number;
}

/** Null where the path leads nowhere, or to something of another type. */
function cell(path: JsonPath, root: JsonValue, { type, nowMs }: CellOptions): unknown {
  let value: JsonValue | undefined;
  try {
    [value] = path(root);
  } catch {
    return null;
  }
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'string':
      return asText(value);
    case 'integer':
      if (typeof value === 'bigint') return value;
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? ageOf(value, nowMs) : null;
    default:
      return null;
  }
}

function asText(value: JsonValue): string {
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_key, v: unknown) =>
    typeof v === 'bigint' ? JSON.rawJSON(v.toString()) : v,
  );
}

function ageOf(text: string, nowMs: number): string {
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return '<invalid>';
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? '<invalid>' : formatHumanDuration(nowMs - ms);
}
