// Which media type does the client want back, and in which shape (object, Table or
// PartialObjectMetadata)? Which does it send? Rules of
// k8s.io/apiserver/pkg/endpoints/handlers/negotiation.

import { statusErrors } from '@keelson/apimachinery';
import type { RequestContext } from '../request-context.ts';

export type MediaType =
  | 'application/json'
  | 'application/yaml'
  | 'application/vnd.kubernetes.protobuf'
  | 'application/cbor';
export interface OutputFormat {
  readonly mediaType: MediaType;
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, or the object itself. */
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  readonly asVersion: string;
  readonly pretty: boolean;
}

const builtinTypes: readonly MediaType[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];
const textTypes = builtinTypes.slice(0, 2);
const cborType: MediaType = 'application/cbor';

/** What there is for objects that have a protobuf form, or have none. */
function typesOf(context: RequestContext, hasProtobuf: boolean): readonly MediaType[] {
  const types = hasProtobuf ? builtinTypes : textTypes;
  return context.cbor === true ? [...types, cborType] : types;
}
const transformGroup = 'meta.k8s.io';

interface AcceptClause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Throws 406. `custom`: the resource has no protobuf form. */
export function negotiateOutput(context: RequestContext, custom = false): OutputFormat {
  const header = singleHeader(context.request.headers['accept']);
  const types = typesOf(context, !custom);
  const pretty = wantsPretty(context);
  if (header === '') return { mediaType: 'application/json', as: '', asVersion: '', pretty };
  let sawUnknownTransform = false;
  for (const clause of parseAccept(header)) {
    const as = clause.parameters.get('as') ?? '';
    const mediaType = formsOf(context, as, types).find((t) => matches(clause.type, t));
    if (mediaType === undefined) {
      sawUnknownTransform ||= types.some((t) => matches(clause.type, t));
      continue;
    }
    if (as === '') return { mediaType, as: '', asVersion: '', pretty };
    const asVersion = clause.parameters.get('v') ?? '';
    const known =
      (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') &&
      clause.parameters.get('g') === transformGroup &&
      (asVersion === 'v1' || asVersion === 'v1beta1');
    if (known) return { mediaType, as: as as OutputFormat['as'], asVersion, pretty };
    sawUnknownTransform = true;
  }
  if (sawUnknownTransform)
    throw statusErrors.notAcceptable(
      `only the following media types are accepted: ${types.join(', ')}`,
    );
  // COMPAT: the router of kube-apiserver refuses types nobody makes before the handler sees them.
  throw statusErrors.generic(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`,
    {},
  );
}

/** Metadata has a protobuf form whatever the resource is; a table has none. */
function formsOf(
  context: RequestContext,
  as: string,
  types: readonly MediaType[],
): readonly MediaType[] {
  if (as === 'Table') return typesOf(context, false);
  return as.startsWith('PartialObjectMetadata') ? typesOf(context, true) : types;
}

/**
 * For answers that are neither transformed nor refused, such as errors: the wanted type or JSON.
 */
export function negotiateStatus(context: RequestContext): OutputFormat {
  try {
    return { ...negotiateOutput(context), as: '', asVersion: '' };
  } catch {
    return { mediaType: 'application/json', as: '', asVersion: '', pretty: wantsPretty(context) };
  }
}

/** The media type of the body; empty means JSON. Throws 415. */
export function negotiateInput(context: RequestContext, custom = false): MediaType {
  const header = singleHeader(context.request.headers['content-type']);
  const type = header.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '') return 'application/json';
  const types = typesOf(context, !custom);
  const found = types.find((t) => t === type);
  if (found !== undefined) return found;
  throw statusErrors.unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  );
}

export function singleHeader(value: string | string[] | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : value.join(', ');
}

/** The clauses of an Accept header, best first; ties keep their order. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses: AcceptClause[] = [];
  for (const part of header.split(',')) {
    const [type = '', ...rest] = part.split(';').map((s) => s.trim());
    if (type === '') continue;
    const parameters = new Map<string, string>();
    let quality = 1;
    for (const p of rest) {
      const eq = p.indexOf('=');
      if (eq < 0) continue;
      const key = p.slice(0, eq).trim().toLowerCase();
      const value = p
        .slice(eq + 1)
        .trim()
        .replace(/^"|"$/g, '');
      if (key === 'q') quality = Number.isFinite(Number(value)) ? Number(value) : 0;
      else parameters.set(key, value);
    }
    clauses.push({ type: type.toLowerCase(), parameters, quality });
  }
  return clauses.filter((c) => c.quality > 0).toSorted((a, b) => b.quality - a.quality);
}

function matches(wanted: string, offered: string): boolean {
  if (wanted === '*/*' || wanted === '*') return offered === 'application/json';
  if (wanted.endsWith('/*'))
    return offered === 'application/json' && offered.startsWith(wanted.slice(0, -1));
  return wanted === offered;
}

function wantsPretty(context: RequestContext): boolean {
  const pretty = context.info.query.get('pretty');
  return pretty !== null && pretty !== '0' && pretty !== 'false';
}
