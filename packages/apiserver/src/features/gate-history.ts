// Reads the histories of feature gates. A history is a list of words, oldest first:
//
//   31a      alpha, off by default, from 1.31 on        34G!   GA, on, locked
//   32B      beta, on by default                        33d    deprecated, off
//   35R      deleted, the behaviour is permanent        35X    deleted, the behaviour is gone

import { gateHistories } from './gates.generated.ts';
import { correctedGateHistories, retiredGateHistories } from './retired-gates.ts';

export type GateStage = 'ALPHA' | 'BETA' | 'GA' | 'DEPRECATED';

/** What a gate is from one release on. */
export interface GatePhase {
  readonly minor: number;
  /** Absent when the release no longer knows the gate. */
  readonly stage: GateStage | undefined;
  readonly default: boolean;
  readonly locked: boolean;
}

const stages: Readonly<Record<string, GateStage>> = {
  a: 'ALPHA',
  b: 'BETA',
  g: 'GA',
  d: 'DEPRECATED',
};

/** Histories by gate name, generated and hand-kept ones together. */
export const allGateHistories: Readonly<Record<string, string>> = {
  ...gateHistories,
  ...retiredGateHistories,
  ...correctedGateHistories,
};

/** The phase of a gate in 1.`minor`; undefined before its first release. */
export function phaseAt(history: string, minor: number): GatePhase | undefined {
  let found: GatePhase | undefined;
  for (const word of history.split(' ')) {
    const phase = parsePhase(word);
    if (phase.minor > minor) break;
    found = phase;
  }
  return found;
}

function parsePhase(word: string): GatePhase {
  const match = /^(\d+)([abgdRX]|[ABGD])(!?)$/.exec(word);
  if (match === null) throw new Error(`unreadable gate phase ${word}`);
  const [, minor, letter = '', lock] = match;
  const on = letter === letter.toUpperCase() && letter !== 'X';
  return {
    minor: Number(minor),
    stage: letter === 'R' || letter === 'X' ? undefined : stages[letter.toLowerCase()],
    default: on,
    locked: lock === '!',
  };
}
