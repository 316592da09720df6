// `meta.k8s.io/v1 Table`: what kubectl prints. Columns are those of the resource's definition, cells
// come from its strategy; a resource without its own gets name and creation time.

import { formatTime, statusErrors, type KubeObject } from '@keelson/apimachinery';
import type { OutputFormat } from './negotiation.ts';
import { partialObject } from './partial-metadata.ts';
import type { ResourceRequest } from './resource-request.ts';

export interface TableListMeta {
  readonly metadata?: string | undefined;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}
type IncludeObject = 'None' | 'Metadata' | 'Object';

const defaultColumns = [
  { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
  { name: 'Created At', type: 'date', format: '', description: '', priority: 0 },
];

/** `columns` is false for the later events of a watch, which do not repeat them. */
export function tableOf(request: ResourceRequest, objects: readonly KubeObject[], list: TableListMeta, format: OutputFormat, columns = true): KubeObject {
  const metadata: Record<string, unknown> = {};
  if (list.metadata) metadata['resourceVersion'] = list.metadata;
  if (list.continue) metadata['continue'] = list.continue;
  if (list.remainingItemCount) metadata['remainingItemCount'] = list.remainingItemCount;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${format.asVersion || 'v1'}`,
    metadata,
    columnDefinitions: columns ? columnDefinitions(request) : null,
    rows: objects.map((object) => tableRow(request, object, format)),
  };
}

export function tableRow(request: ResourceRequest, object: KubeObject, format: OutputFormat) {
  const conditions = request.endpoint.strategy.tableConditions?.(object) ?? [];
  return {
    cells: cellsOf(request, object),
    ...(conditions.length > 0 ? { conditions } : {}),
    object: rowObject(object, includeObject(request), format.asVersion),
  };
}

function rowObject(object: KubeObject, include: IncludeObject, version: string): unknown {
  if (include === 'Object') return object;
  return include === 'None' ? null : partialObject(object, version);
}

/** `?includeObject=`; throws 400 for another value. */
function includeObject(request: ResourceRequest): IncludeObject {
  const value = request.context.info.query.get('includeObject') || 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  throw statusErrors.badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

function columnDefinitions(request: ResourceRequest): unknown[] {
  const { definition } = request.endpoint;
  const columns = definition.columns.length > 0 ? definition.columns : defaultColumns;
  return columns.map((c) => ({ name: c.name, type: c.type, format: c.format ?? '', description: c.description ?? '', priority: c.priority }));
}

function cellsOf(request: ResourceRequest, object: KubeObject): unknown[] {
  const { strategy } = request.endpoint;
  const now = request.services.clock.now();
  if (strategy.tableCells !== undefined) return strategy.tableCells(object, now);
  return [object.metadata.name ?? '', object.metadata.creationTimestamp ?? formatTime(0)];
}
