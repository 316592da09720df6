// What the emulated release can do. All version-dependent behaviour asks here; nothing else knows
// release numbers. Gates are data (`gates.generated.ts`), see `create-features.ts`.

export interface Features {
  /** The release that the server behaves like, `{ major: 1, minor: 36 }`. */
  readonly emulated: { readonly major: number; readonly minor: number };
  /**
   * True when the gate is on in the emulated release, after `--feature-gates`. Unknown gates throw:
   * a misspelt name is a bug.
   */
  enabled(gate: string): boolean;
}
