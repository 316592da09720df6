// What a signer needs of the place where its keys are.

export interface PublishedKey {
  readonly id: string;
  /** PKIX, DER. */
  readonly publicKey: Buffer;
  /** It verifies tokens of the past and is not shown to others. */
  readonly isExcluded: boolean;
}

export interface SigningKeys {
  signing(): { readonly id: string; readonly algorithm: 'RS256' | 'ES256' };
  /** The signature as JSON web tokens have it: r and s of ECDSA one after the other. */
  sign(input: Buffer): Promise<Buffer>;
  all(): readonly PublishedKey[];
  /** When `all` last changed. */
  changedAtMs(): number;
}
