// The extenders of a KubeSchedulerConfiguration: HTTP services that are asked besides the plugins. Their
// rules are kube-scheduler's, and so are the texts; certificates are read at once, so that a file that
// is not there ends the start.

import {
  fieldError,
  isExtendedResource,
  qualifiedNameProblems,
  type FieldError,
} from '@keelson/apimachinery';
import { millisecondsOf } from './plugin-arguments.ts';
import { SchedulerConfigurationError } from './scheduler-configuration.ts';

export interface DecodedExtender {
  readonly urlPrefix?: string;
  readonly filterVerb?: string;
  readonly preemptVerb?: string;
  readonly prioritizeVerb?: string;
  readonly weight?: number | bigint;
  readonly bindVerb?: string;
  readonly enableHTTPS?: boolean;
  readonly tlsConfig?: DecodedTls;
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly ManagedResource[];
  readonly ignorable?: boolean;
}

interface DecodedTls {
  readonly insecure?: boolean;
  readonly serverName?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  /** Base64, as the other two. */
  readonly certData?: string;
  readonly keyData?: string;
  readonly caData?: string;
}

interface ManagedResource {
  readonly name?: string;
  readonly ignoredByScheduler?: boolean;
}

export interface ExtenderConfiguration {
  /** What it is called by. */
  readonly urlPrefix: string;
  /** Empty verbs are not asked. */
  readonly filterVerb: string;
  readonly preemptVerb: string;
  readonly prioritizeVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly tls: ExtenderTls;
  readonly timeoutMs: number;
  /** It knows the nodes and is sent their names only. */
  readonly nodeCacheCapable: boolean;
  /** It is asked about pods that want one of these; none: about all. */
  readonly managedResources: readonly string[];
  /** Pods are placed without it when it fails. */
  readonly ignorable: boolean;
}

/** In PEM. */
export interface ExtenderTls {
  readonly insecureSkipVerify?: boolean;
  readonly serverName?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export type ReadFile = (path: string) => string;

/** COMPAT: kube-scheduler waits as long. */
const timeoutDefaultMs = 5_000;

export function validateExtenders(extenders: readonly DecodedExtender[]): FieldError[] {
  const errors: FieldError[] = [];
  const managed = new Set<string>();
  for (const [
    i,
    { prioritizeVerb = '', weight = 0, managedResources = [] },
  ] of extenders.entries()) {
    const path = `extenders[${i}]`;
    if (prioritizeVerb !== '' && weight <= 0) {
      const why = 'must have a positive weight applied to it';
      errors.push(fieldError.invalid(`${path}.weight`, weight, why));
    }
    for (const [j, { name = '' }] of managedResources.entries()) {
      const at = `${path}.managedResources[${j}].name`;
      errors.push(...resourceErrors(at, name));
      if (managed.has(name))
        errors.push(fieldError.invalid(at, name, 'duplicate extender managed resource name'));
      managed.add(name);
    }
  }
  const binders = extenders.filter(({ bindVerb = '' }) => bindVerb !== '').length;
  if (binders > 1) {
    const found = `found ${binders} extenders implementing bind`;
    errors.push(fieldError.invalid('extenders', found, 'only one extender can implement bind'));
  }
  return errors;
}

function resourceErrors(path: string, name: string): FieldError[] {
  const problems = qualifiedNameProblems(name);
  if (problems.length === 0 && !isExtendedResource(name))
    problems.push('is an invalid extended resource name');
  return problems.map((problem) => fieldError.invalid(path, name, problem));
}

/** The resources that nodes need not have, since an extender looks after them. */
export function resourcesOfExtenders(extenders: readonly DecodedExtender[]): string[] {
  return extenders.flatMap(({ managedResources = [] }) =>
    managedResources.flatMap(({ name, ignoredByScheduler }) =>
      name !== undefined && ignoredByScheduler === true ? [name] : [],
    ),
  );
}

/**
 * In the order in which they are asked: those that may fail come last. Throws
 * SchedulerConfigurationError.
 */
export function toExtenders(
  extenders: readonly DecodedExtender[],
  readFile: ReadFile,
): readonly ExtenderConfiguration[] {
  return extenders
    .map((extender, i) => toExtender(extender, `extenders[${i}]`, readFile))
    .toSorted((a, b) => Number(a.ignorable) - Number(b.ignorable));
}

function toExtender(
  extender: DecodedExtender,
  path: string,
  readFile: ReadFile,
): ExtenderConfiguration {
  const { urlPrefix = '', weight = 0, managedResources = [], tlsConfig = {} } = extender;
  const { protocol = '' } = URL.parse(urlPrefix) ?? {};
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new SchedulerConfigurationError(
      `${path}.urlPrefix: Invalid value: ${JSON.stringify(urlPrefix)}: must be a URL of http or https`,
    );
  const timeout = millisecondsOf(extender.httpTimeout, timeoutDefaultMs);
  return {
    urlPrefix,
    filterVerb: extender.filterVerb ?? '',
    preemptVerb: extender.preemptVerb ?? '',
    prioritizeVerb: extender.prioritizeVerb ?? '',
    bindVerb: extender.bindVerb ?? '',
    weight: Number(weight),
    tls: toTls(tlsConfig, `${path}.tlsConfig`, readFile),
    timeoutMs: timeout > 0 ? timeout : timeoutDefaultMs,
    nodeCacheCapable: extender.nodeCacheCapable ?? false,
    managedResources: managedResources.flatMap(({ name }) => name ?? []),
    ignorable: extender.ignorable ?? false,
  };
}

function toTls(tls: DecodedTls, path: string, readFile: ReadFile): ExtenderTls {
  const pem = (what: 'ca' | 'cert' | 'key'): string | undefined => {
    const given = tls[`${what}Data`] ?? '';
    if (given !== '') return Buffer.from(given, 'base64').toString('utf8');
    const file = tls[`${what}File`] ?? '';
    if (file === '') return undefined;
    try {
      return readFile(file);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SchedulerConfigurationError(`${path}.${what}File: ${why}`, { cause });
    }
  };
  const [ca, certificate, key] = [pem('ca'), pem('cert'), pem('key')];
  const { insecure = false, serverName = '' } = tls;
  const refuse = (why: string) => {
    throw new SchedulerConfigurationError(`${path}: ${why}`);
  };
  if (insecure && ca !== undefined)
    refuse('specifying a root certificates file with the insecure flag is not allowed');
  if ((certificate === undefined) !== (key === undefined))
    refuse('a certificate and its key are given together');
  return {
    ...(insecure && { insecureSkipVerify: true }),
    ...(serverName !== '' && { serverName }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
  };
}
