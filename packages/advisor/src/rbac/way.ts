// What a way from rights to other rights is, and how it asks what its caller holds.

import type { Identity } from './identities.ts';
import type { PolicyRule } from './rules.ts';
import { allowing, type HeldRule, type RbacState } from './state.ts';

/** Where a way leads to. */
export type Reach = { readonly how: string; readonly needs: readonly HeldRule[] } & (
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'rules'; readonly rules: readonly PolicyRule[]; readonly namespace: string }
);

export interface Asked {
  readonly state: RbacState;
  readonly who: Identity;
  /** What the caller holds. */
  readonly held: readonly HeldRule[];
}

export interface Place {
  readonly namespace: string;
  readonly name?: string;
}

export type Way = (asked: Asked) => Reach[];

/** The first rule that allows the verb on `resource`, `resource/subresource` or `resource.group`. */
export function can(
  asked: Asked,
  verb: string,
  target: string,
  place: Place,
): HeldRule | undefined {
  const [resource = '', ...group] = target.split('.');
  const { namespace, name = '' } = place;
  return allowing(asked.held, { verb, group: group.join('.'), resource, namespace, name })[0];
}
