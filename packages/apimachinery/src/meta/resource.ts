// What the server serves under one URL: a resource of one version, with its kind, verbs and
// subresources. Built-in ones are generated (`generated/resources`), custom ones come from CRDs.

import type { GroupVersionKind, GroupVersionResource } from './group-version.ts';
import type { StructType } from '../schema/types.ts';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection';

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number;
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly gvk: GroupVersionKind;
}

export interface ResourceDefinition extends GroupVersionResource {
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly SubresourceDefinition[];
  /** apiVersion of the stored form; absent for virtual resources (reviews, bindings). */
  readonly storageVersion?: string;
  readonly storageVersionHash?: string;
  /** `/registry/pods`: where the objects live in storage. */
  readonly keyPrefix?: string;
  /** Field labels that selectors may use. */
  readonly fieldLabels: readonly string[];
  readonly columns: readonly TableColumn[];
  /** Schema of the kind in this version. */
  readonly type: StructType;
}
