// A suite of policy tests as it is run: what is in force, what is there, and for each request what
// is expected of the cluster. The files that people write are read into this, see `suite-file.ts`
// and `kyverno-file.ts`.

import type { JsonObject } from '@keelson/apimachinery';
import type { AdvisedClusterOptions, AdvisedUser } from '../cluster.ts';
import type { Source, SourcedObject } from '../sources/source.ts';

export interface Suite {
  readonly name: string;
  /** The file that says what is expected. */
  readonly file: string;
  /** One run of all cases for each. */
  readonly clusters: readonly AdvisedClusterOptions[];
  /** Definitions, namespaces, parameters and whatever else is there before the policies are. */
  readonly objects: readonly SourcedObject[];
  readonly policies: readonly SourcedObject[];
  readonly cases: readonly TestCase[];
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface TestCase {
  readonly name: string;
  readonly source: Source;
  readonly operation: Operation;
  /** What is sent; absent for DELETE and CONNECT, and where there is a patch. */
  readonly object?: SourcedObject;
  /** A merge patch of `oldObject`, instead of `object`. */
  readonly patch?: JsonObject;
  /** What is there under the name before the request. */
  readonly oldObject?: SourcedObject;
  /** What else is there before, in this case only. */
  readonly given: readonly SourcedObject[];
  /** `status`, `ephemeralcontainers`, `exec`; empty for the object itself. */
  readonly subresource: string;
  /** Of the query: `command`, `container`, `propagationPolicy`. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** Of objects that name none. */
  readonly namespace: string;
  readonly dryRun: boolean;
  /** Absent: the administrator, who may do everything. */
  readonly user?: AdvisedUser;
  readonly expect: Expectation;
}

/** What is not said is not looked at. */
export interface Expectation {
  readonly allowed?: boolean;
  /** Policies that must have been asked, and have refused (or allowed, if that is expected). */
  readonly policies: readonly string[];
  readonly binding?: string;
  /** Policies that must not have been asked: nothing of theirs is about the request. */
  readonly notAsked: readonly string[];
  /** Policies whose rules must not hold, whatever their bindings do about it. */
  readonly found: readonly string[];
  /** The admission plugin, `RBAC` and the like, or `validation`. */
  readonly plugin?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly message?: TextExpectation;
  /** Each must be there; an empty list means that there are none. */
  readonly warnings?: readonly TextExpectation[];
  readonly auditAnnotations: Readonly<Record<string, TextExpectation>>;
  /** Members that the answered object must have. */
  readonly object?: JsonObject;
}

export type TextExpectation =
  | { readonly equals: string }
  | { readonly contains: string }
  | { readonly matches: RegExp };
