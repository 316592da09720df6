// What a plugin with several callees (webhooks, policies) remembers over both passes: who was asked
// and wants to see later changes, and for whom there are such changes.

import { copyJson, type KubeObject } from '@keelson/apimachinery';
import { isSemanticallyEqual } from '../registry/validation/equality.ts';
import type { Reinvocation } from './reinvocation.ts';

export interface ReinvocationPasses {
  readonly isSecond: boolean;
  /** False for whoever has nothing to see in the second pass. */
  isAsked(id: string): boolean;
  /** To be called when a callee has changed the object. */
  changed(): void;
  /** The callee wants to see what others change from now on. */
  asked(id: string): void;
  /** To be called at the end of a pass with what the plugin made of the object. */
  finish(object: KubeObject | undefined): void;
}

interface Kept {
  readonly asked: Set<string>;
  readonly again: Set<string>;
  output: KubeObject | undefined;
}

/** Begins a pass of the plugin; in the second, what others changed meanwhile counts. */
export function beginPass(
  plugin: string,
  reinvocation: Reinvocation | undefined,
  object: KubeObject | undefined,
): ReinvocationPasses {
  const kept = keptOf(plugin, reinvocation);
  const isSecond = reinvocation?.isSecond === true;
  const askAgain = () => {
    for (const id of kept.asked) kept.again.add(id);
    kept.asked.clear();
  };
  if (isSecond && !isSemanticallyEqual(kept.output, object)) askAgain();
  return {
    isSecond,
    isAsked: (id) => !isSecond || kept.again.has(id),
    changed() {
      askAgain();
      reinvocation?.require();
    },
    asked: (id) => void kept.asked.add(id),
    finish: (output) => void (kept.output = copyJson(output)),
  };
}

function keptOf(plugin: string, reinvocation: Reinvocation | undefined): Kept {
  const known = reinvocation?.kept.get(plugin) as Kept | undefined;
  if (known !== undefined) return known;
  const kept: Kept = { asked: new Set(), again: new Set(), output: undefined };
  reinvocation?.kept.set(plugin, kept);
  return kept;
}
