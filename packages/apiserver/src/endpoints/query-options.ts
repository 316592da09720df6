// The option objects that come as query parameters (GetOptions, ListOptions, CreateOptions,
// UpdateOptions, PatchOptions, DeleteOptions), with the checks and texts of
// k8s.io/apimachinery/pkg/apis/meta/{v1,internalversion}/validation.

import { fieldError, statusErrors, type FieldError } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** As the client wrote it: empty when it left it to the server. */
  readonly fieldValidationGiven: FieldValidation | '';
}
export interface PatchRequestOptions extends WriteOptions {
  readonly force: boolean | undefined;
}
export interface ListRequestOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Empty also without the gate ShardedListAndWatch: then it is not looked at. */
  readonly shardSelector: string;
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly timeoutSeconds: number | undefined;
  readonly limit: number;
  readonly continue: string;
}
export interface DeleteRequestOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly propagationPolicy: string | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

const fieldManagerBytesMax = 128;

export function parseWriteOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions',
): WriteOptions {
  const errors = [
    ...checkDryRun(query),
    ...checkFieldManager(query, true),
    ...checkFieldValidation(query),
  ];
  if (errors.length > 0) throw invalidOptions(kind, errors);
  return {
    dryRun: query.getAll('dryRun').length > 0,
    fieldManager: query.get('fieldManager') ?? '',
    ...fieldValidationOf(query),
  };
}

/**
 * `isApply`: the body is an apply patch, for which a field manager is required and force means
 * something.
 */
export function parsePatchOptions(query: URLSearchParams, isApply: boolean): PatchRequestOptions {
  const force = query.has('force') ? parseBool(query.get('force') ?? '') : undefined;
  const errors: FieldError[] = [];
  if (!isApply) {
    if (force !== undefined)
      errors.push(fieldError.forbidden('force', 'may not be specified for non-apply patch'));
  } else if ((query.get('fieldManager') ?? '') === '') {
    // An apply without a name could not be told from other appliers.
    errors.push(fieldError.required('fieldManager', 'is required for apply patch'));
  }
  errors.push(
    ...checkFieldManager(query, !isApply),
    ...checkDryRun(query),
    ...checkFieldValidation(query),
  );
  if (errors.length > 0) throw invalidOptions('PatchOptions', errors);
  return {
    dryRun: query.getAll('dryRun').length > 0,
    fieldManager: query.get('fieldManager') ?? '',
    ...fieldValidationOf(query),
    force,
  };
}

/** The `watch` parameter as option decoding reads it, which is laxer than RequestInfo. */
export function wantsWatch(query: URLSearchParams): boolean {
  return parseBool(query.get('watch')) === true;
}

/** Without `features` everything is on. */
export function parseListOptions(
  query: URLSearchParams,
  forceWatch: boolean,
  features?: Features,
): ListRequestOptions {
  const options: ListRequestOptions = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    shardSelector:
      features?.enabled('ShardedListAndWatch') === false ? '' : (query.get('shardSelector') ?? ''),
    watch: forceWatch || parseBool(query.get('watch')) === true,
    allowWatchBookmarks: parseBool(query.get('allowWatchBookmarks')) === true,
    sendInitialEvents: query.has('sendInitialEvents')
      ? parseBool(query.get('sendInitialEvents') ?? '')
      : undefined,
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: parseInteger(query.get('timeoutSeconds')),
    limit: parseInteger(query.get('limit')) ?? 0,
    continue: query.get('continue') ?? '',
  };
  const errors = options.watch
    ? checkWatch(options, features?.enabled('WatchList') ?? true)
    : checkList(options);
  if (errors.length > 0) throw invalidOptions('ListOptions', errors);
  return options;
}

/** DeleteOptions in the query string; used when the request has no body. */
export function parseDeleteQuery(query: URLSearchParams): DeleteRequestOptions {
  const errors = checkDryRun(query);
  const options = {
    dryRun: query.getAll('dryRun').length > 0,
    gracePeriodSeconds: parseInteger(query.get('gracePeriodSeconds')),
    orphanDependents: query.has('orphanDependents')
      ? parseBool(query.get('orphanDependents') ?? '')
      : undefined,
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    uid: undefined,
    resourceVersion: undefined,
  };
  assertDeleteOptions(options, errors);
  return options;
}

/** Throws the 422 of ValidateDeleteOptions; `errors` are those found so far. */
export function assertDeleteOptions(
  options: Omit<DeleteRequestOptions, 'dryRun'>,
  errors: FieldError[],
): void {
  const { orphanDependents, propagationPolicy } = options;
  if (orphanDependents !== undefined && propagationPolicy !== undefined)
    errors.unshift(
      fieldError.invalid(
        'propagationPolicy',
        propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  if (
    propagationPolicy !== undefined &&
    !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)
  )
    errors.unshift({
      type: 'FieldValueNotSupported',
      path: 'propagationPolicy',
      badValue: propagationPolicy,
      detail: 'supported values: "Foreground", "Background", "Orphan", "nil"',
    });
  if (errors.length > 0) throw invalidOptions('DeleteOptions', errors);
}

export function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((v) => v === 'All')
    ? []
    : [fieldError.notSupported('dryRun', values, ['All'])];
}

/**
 * Go's `time.ParseDuration` for the few places that take one in a URL; undefined when it is none.
 */
export function parseGoDurationMs(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
  };
  if (text === '0') return 0;
  if (
    !/^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(
      text,
    )
  )
    return undefined;
  let total = 0;
  for (const match of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    total += Number(match[1]) * (units[match[2] ?? ''] ?? 0);
  return text.startsWith('-') ? -total : total;
}

function invalidOptions(kind: string, errors: readonly FieldError[]) {
  return statusErrors.invalid({ group: 'meta.k8s.io', kind }, '', errors);
}
function checkDryRun(query: URLSearchParams): FieldError[] {
  return dryRunErrors(query.getAll('dryRun'));
}
function checkFieldManager(query: URLSearchParams, optional: boolean): FieldError[] {
  const manager = query.get('fieldManager') ?? '';
  if (manager === '' && optional) return [];
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > fieldManagerBytesMax)
    errors.push(fieldError.tooLong('fieldManager', fieldManagerBytesMax));
  let position = 0;
  for (const ch of manager) {
    if (/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(ch)) {
      const code = (ch.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(
        fieldError.invalid(
          'fieldManager',
          manager,
          `invalid character U+${code} (at position ${position})`,
        ),
      );
    }
    position += Buffer.byteLength(ch);
  }
  return errors;
}
function fieldValidationOf(
  query: URLSearchParams,
): Pick<WriteOptions, 'fieldValidation' | 'fieldValidationGiven'> {
  const given = (query.get('fieldValidation') ?? '') as FieldValidation | '';
  return { fieldValidation: given || 'Warn', fieldValidationGiven: given };
}

function checkFieldValidation(query: URLSearchParams): FieldError[] {
  const value = query.get('fieldValidation') ?? '';
  return ['', 'Ignore', 'Warn', 'Strict'].includes(value)
    ? []
    : [
        {
          type: 'FieldValueNotSupported',
          path: 'fieldValidation',
          badValue: value,
          detail: 'supported values: "", "Ignore", "Strict", "Warn"',
        },
      ];
}

function checkList(o: ListRequestOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = o.resourceVersionMatch;
  if (match !== '') {
    if (o.resourceVersion === '')
      errors.push(
        fieldError.forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden unless resourceVersion is provided',
        ),
      );
    if (o.continue !== '')
      errors.push(
        fieldError.forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden when continue is provided',
        ),
      );
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push({
        type: 'FieldValueNotSupported',
        path: 'resourceVersionMatch',
        badValue: match,
        detail: 'supported values: "Exact", "NotOlderThan", ""',
      });
    if (match === 'Exact' && o.resourceVersion === '0')
      errors.push(
        fieldError.forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
      );
  }
  if (o.sendInitialEvents !== undefined)
    errors.push(
      fieldError.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'),
    );
  return errors;
}
function checkWatch(o: ListRequestOptions, hasWatchList: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const match = o.resourceVersionMatch;
  if (o.sendInitialEvents !== undefined && match !== 'NotOlderThan')
    errors.push(
      fieldError.forbidden(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    );
  if (o.sendInitialEvents !== undefined && !hasWatchList)
    errors.push(
      fieldError.forbidden(
        'sendInitialEvents',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      ),
    );
  if (match !== '') {
    if (o.sendInitialEvents === undefined)
      errors.push(
        fieldError.forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    if (match !== 'NotOlderThan')
      errors.push(fieldError.notSupported('resourceVersionMatch', match, ['NotOlderThan']));
  }
  if (o.continue !== '')
    errors.push(
      fieldError.forbidden(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden when continue is provided',
      ),
    );
  return errors;
}

// COMPAT: in query strings everything but "false" and "0" is true.
function parseBool(text: string | null): boolean | undefined {
  if (text === null) return undefined;
  return text !== 'false' && text !== '0';
}
function parseInteger(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw statusErrors.badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  const n = Number(text);
  if (!Number.isSafeInteger(n))
    throw statusErrors.badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`,
    );
  return n;
}
