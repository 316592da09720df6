// What a recorded log consists of: JSON lines, in the order in which things happened. Objects appear when
// the authorizers' views see them, so a decision can be checked against exactly what was there.

export type LogLine =
  /** Again when the authorizers are configured anew. */
  | {
      readonly is: 'start';
      /** Of `--authorization-mode`, in order. */
      readonly modes: readonly string[];
      readonly gates: Readonly<Record<string, boolean>>;
    }
  | {
      readonly is: 'object';
      readonly change: 'ADDED' | 'MODIFIED' | 'DELETED';
      /** Name of the view: `roles`, `pods`. */
      readonly view: string;
      readonly object: StoredObject;
    }
  | {
      readonly is: 'question';
      readonly id: number;
      readonly user: RecordedUser;
      readonly attributes: RecordedAttributes;
    }
  | { readonly is: 'step'; readonly id: number; readonly step: RecordedStep }
  | { readonly is: 'decision'; readonly id: number; readonly decision: string };

export interface StoredObject {
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}
export interface RecordedUser {
  readonly name: string;
  readonly groups: readonly string[];
}
export interface RecordedAttributes {
  readonly isResource: boolean;
  readonly verb: string;
  readonly path?: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}
export interface RecordedStep {
  readonly stage: string;
  readonly by: string;
  readonly outcome: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}
