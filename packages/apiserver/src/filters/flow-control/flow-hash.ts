// Turns a flow (the schema's name and what distinguishes flows within it) into 64 bits, from which its
// hand of queues is dealt. HalfSipHash-1-3 over the UTF-16 code units, under a key that is drawn when
// the server starts.
//
// SECURITY: without the key nobody can choose names that share the queues of somebody else.

import type { Random } from '@keelson/apimachinery';

/** Two unsigned halves of 32 bits. */
export interface FlowHash {
  readonly high: number;
  readonly low: number;
}

export function createFlowHash(random: Random): (schema: string, flow: string) => FlowHash {
  const key = random.bytes(8);
  const words = new DataView(key.buffer, key.byteOffset, 8);
  const k0 = words.getUint32(0, true);
  const k1 = words.getUint32(4, true);
  return (schema, flow) => {
    // U+0000 is in no name, so different pairs are different texts.
    const text = `${schema}\u0000${flow}`;
    const state = new Uint32Array([k0, k1 ^ 0xee, 0x6c796765 ^ k0, 0x74656462 ^ k1]);
    for (let i = 0; i < text.length; i += 2) {
      absorb(state, text.charCodeAt(i) | ((text.charCodeAt(i + 1) || 0) << 16));
    }
    absorb(state, text.length);
    state[2] = at(state, 2) ^ 0xee;
    for (let i = 0; i < 3; i++) round(state);
    const low = (at(state, 1) ^ at(state, 3)) >>> 0;
    state[1] = at(state, 1) ^ 0xdd;
    for (let i = 0; i < 3; i++) round(state);
    return { high: (at(state, 1) ^ at(state, 3)) >>> 0, low };
  };
}

function absorb(state: Uint32Array, word: number): void {
  state[3] = at(state, 3) ^ word;
  round(state);
  state[0] = at(state, 0) ^ word;
}

function round(state: Uint32Array): void {
  let v0 = at(state, 0);
  let v1 = at(state, 1);
  let v2 = at(state, 2);
  let v3 = at(state, 3);
  v0 = (v0 + v1) | 0;
  v1 = rotate(v1, 5) ^ v0;
  v0 = rotate(v0, 16);
  v2 = (v2 + v3) | 0;
  v3 = rotate(v3, 8) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = rotate(v3, 7) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = rotate(v1, 13) ^ v2;
  v2 = rotate(v2, 16);
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}

const at = (state: Uint32Array, index: number) => state[index] ?? 0;
const rotate = (word: number, by: number) => (word << by) | (word >>> (32 - by));
