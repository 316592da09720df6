// `meta.k8s.io/v1 Table`: what kubectl prints. Columns are those of the resource's definition,
// cells come from its strategy; a resource without its own gets name and creation time. `scale` has
// columns of its own.

import {
  builtinType,
  formatTime,
  statusErrors,
  type KubeObject,
  type TableColumn,
} from '@keelson/apimachinery';
import type { Scale } from '@keelson/apimachinery/types/autoscaling.v1';
import { age } from '../registry/printing/cells.ts';
import { internalForm, internalStrategy, type ShownObject } from './internal-object.ts';
import type { OutputFormat } from './negotiation.ts';
import { partialObject } from './partial-metadata.ts';
import type { ResourceRequest } from './resource-request.ts';

export interface TableListMeta {
  readonly metadata?: string | undefined;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}
type IncludeObject = 'None' | 'Metadata' | 'Object';

/** What a row is made of. */
interface TablePrinter {
  readonly columns: readonly TableColumn[];
  cells(object: KubeObject, nowMs: number): unknown[];
  conditions?(object: KubeObject): unknown[];
  /** COMPAT: the rows of an empty table are null where Kubernetes has no printer for the kind. */
  readonly isDefault: boolean;
}

export interface TableOptions {
  readonly format: OutputFormat;
  readonly list?: TableListMeta;
  /** False for the later events of a watch, which do not repeat them. */
  readonly columns?: boolean;
}

export function tableOf(
  request: ResourceRequest,
  objects: readonly ShownObject[],
  { format, list = {}, columns = true }: TableOptions,
): KubeObject {
  const metadata: Record<string, unknown> = {};
  if (list.metadata) metadata['resourceVersion'] = list.metadata;
  if (list.continue) metadata['continue'] = list.continue;
  if (list.remainingItemCount) metadata['remainingItemCount'] = list.remainingItemCount;
  const printer = printerOf(request);
  const style: RowStyle = { printer, include: includeObject(request), version: format.asVersion };
  const rows = objects.map((shown) => tableRow(request, shown, style));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${format.asVersion || 'v1'}`,
    metadata,
    columnDefinitions: columns ? printer.columns.map(columnDefinition) : null,
    rows: rows.length === 0 && printer.isDefault ? null : rows,
  };
}

interface RowStyle {
  readonly printer: TablePrinter;
  readonly include: IncludeObject;
  readonly version: string;
}

function tableRow(
  request: ResourceRequest,
  shown: ShownObject,
  { printer, include, version }: RowStyle,
) {
  const internal = internalForm(request.endpoint, shown);
  const cells = printer.cells(internal, request.services.clock.now());
  const conditions = printer.conditions?.(internal) ?? [];
  return {
    // A bookmark is an object without a name.
    cells: cells.map((cell) => cell ?? (request.endpoint.custom ? null : '')),
    ...(conditions.length > 0 ? { conditions } : {}),
    object:
      include === 'Object'
        ? shown.served
        : include === 'None'
          ? null
          : partialObject(internal, version),
  };
}

/** `?includeObject=`; throws 400 for another value. */
function includeObject(request: ResourceRequest): IncludeObject {
  const value = request.context.info.query.get('includeObject') || 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  throw statusErrors.badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

function columnDefinition({ name, type, format = '', description = '', priority }: TableColumn) {
  return { name, type, format, description, priority };
}

function printerOf(request: ResourceRequest): TablePrinter {
  const { endpoint, subresource } = request;
  if (!endpoint.custom && endpoint.projections.has(subresource)) return scalePrinter;
  const strategy = internalStrategy(endpoint);
  const { columns } = endpoint.definition;
  if (strategy.tableCells === undefined) {
    return {
      columns: columns.length > 0 ? columns : defaultColumns(),
      cells: nameAndCreation,
      isDefault: true,
    };
  }
  return {
    columns,
    cells: (object, nowMs) => strategy.tableCells?.(object, nowMs) ?? [],
    conditions: (object) => strategy.tableConditions?.(object) ?? [],
    isDefault: columns.some((column) => column.type === 'date') && !endpoint.custom,
  };
}

function nameAndCreation({ metadata }: KubeObject): unknown[] {
  return [metadata.name, metadata.creationTimestamp ?? formatTime(0)];
}

function documentation(struct: string, field: string): string {
  return builtinType(struct)?.fields.find(({ name }) => name === field)?.description ?? '';
}

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

function defaultColumns(): readonly TableColumn[] {
  return [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: documentation(objectMeta, 'name'),
      priority: 0,
    },
    { name: 'Created At', type: 'date', description: creationText(), priority: 0 },
  ];
}

/** COMPAT: the documentation as Go has it, in two paragraphs. */
function creationText(): string {
  return documentation(objectMeta, 'creationTimestamp').replace('  ', '\n\n');
}

const scalePrinter: TablePrinter = {
  get columns() {
    const scale = (part: string) => documentation(`io.k8s.api.autoscaling.v1.${part}`, 'replicas');
    return [
      { name: 'Name', type: 'string', description: documentation(objectMeta, 'name'), priority: 0 },
      { name: 'Desired', type: 'integer', description: scale('ScaleSpec'), priority: 0 },
      { name: 'Available', type: 'integer', description: scale('ScaleStatus'), priority: 0 },
      { name: 'Age', type: 'string', description: creationText(), priority: 0 },
    ];
  },
  cells(object, nowMs) {
    const { spec, status } = object as unknown as Scale;
    return [object.metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, age(object, nowMs)];
  },
  isDefault: false,
};
