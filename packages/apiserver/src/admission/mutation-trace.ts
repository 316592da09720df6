// What a decision trace says of mutating plugins: whether each of them changed the object. One that did
// not look at the object did not change it, and most do not look: the resource tells them that it is
// not theirs. For the others the object is compared with what it was.

import type { KubeObject } from '@keelson/apimachinery';
import type { AdmissionAttributes } from './admission.ts';
import { takeSnapshot, type ObjectSnapshot } from './object-snapshot.ts';

export interface MutationTrace {
  /** For the plugins, in place of the attributes that they are about. */
  readonly attributes: AdmissionAttributes;
  /** Whether the object is another one than when this was last asked. */
  hasChanged(): boolean;
}

export function traceMutations(attributes: AdmissionAttributes): MutationTrace {
  const watched = new WatchedAttributes(attributes);
  return { attributes: watched, hasChanged: () => watched.hasChanged() };
}

/** A class, for an accessor that every request makes anew is as slow as the comparison that it saves. */
class WatchedAttributes implements AdmissionAttributes {
  readonly #of: AdmissionAttributes;
  /** The object as the last plugin that changed it left it. */
  #snapshot: ObjectSnapshot | undefined;
  #isSeen = false;
  readonly operation: AdmissionAttributes['operation'];
  readonly gvr: AdmissionAttributes['gvr'];
  readonly gvk: AdmissionAttributes['gvk'];
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: AdmissionAttributes['user'];
  readonly dryRun: boolean;
  readonly options: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly trace: AdmissionAttributes['trace'];
  readonly signal: AbortSignal;
  readonly warn: AdmissionAttributes['warn'];
  readonly annotate: AdmissionAttributes['annotate'];

  constructor(attributes: AdmissionAttributes) {
    this.#of = attributes;
    this.operation = attributes.operation;
    this.gvr = attributes.gvr;
    this.gvk = attributes.gvk;
    this.subresource = attributes.subresource;
    this.namespace = attributes.namespace;
    this.name = attributes.name;
    this.user = attributes.user;
    this.dryRun = attributes.dryRun;
    this.options = attributes.options;
    this.oldObject = attributes.oldObject;
    this.trace = attributes.trace;
    this.signal = attributes.signal;
    this.warn = (text) => attributes.warn(text);
    this.annotate = (key, value) => attributes.annotate(key, value);
  }

  get object(): KubeObject | undefined {
    this.#look();
    return this.#of.object;
  }

  set object(object: KubeObject | undefined) {
    this.#look();
    this.#of.object = object;
  }

  hasChanged(): boolean {
    if (!this.#isSeen) return false;
    this.#isSeen = false;
    if (this.#snapshot?.isUnchanged(this.#of.object) === true) return false;
    this.#snapshot = undefined;
    return true;
  }

  #look(): void {
    this.#isSeen = true;
    this.#snapshot ??= takeSnapshot(this.#of.object);
  }
}
