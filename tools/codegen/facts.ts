// The fact tables of a reference server, as the generator reads them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SchemaNode {
  readonly type?: string;
  readonly format?: string;
  readonly ref?: string;
  readonly items?: SchemaNode;
  readonly values?: SchemaNode;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: string;
  readonly mergeKey?: string;
  readonly patchStrategy?: string;
}

export interface SchemaDefinition {
  readonly type?: string;
  readonly mapType?: string;
  readonly fields?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly gvk?: readonly string[];
  readonly unions?: readonly unknown[];
}

export interface ProtobufField {
  readonly n: number;
  readonly type: string;
  readonly label?: 'optional' | 'repeated';
}
export type ProtobufMessage = Readonly<Record<string, ProtobufField>>;

export interface ResourceFact {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly group: string;
    readonly version: string;
    readonly verbs: readonly string[];
  }[];
  readonly storageVersion?: string;
  readonly storageVersionHash?: string;
  readonly keyPrefix?: string;
}

export interface ColumnFact {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority: number;
}

export interface Facts {
  readonly schema: Readonly<Record<string, SchemaDefinition>>;
  readonly protobuf: Readonly<Record<string, ProtobufMessage>>;
  readonly resources: readonly ResourceFact[];
  readonly columns: Readonly<Record<string, readonly ColumnFact[]>>;
  readonly fieldSelectors: Readonly<Record<string, readonly string[]>>;
}

export function readFacts(directory: string): Facts {
  const read = <T>(name: string): T =>
    JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as T;
  return {
    schema: read('schema'),
    protobuf: read('protobuf'),
    resources: read('resources'),
    columns: read('columns'),
    fieldSelectors: read('field-selectors'),
  };
}
