// What a JWT authenticator fetches from outside: discovery documents, key sets, distributed claims.
// Declared here, made by the composition root, so that this folder opens no socket.

export interface DocumentRequest {
  readonly url: string;
  readonly bearerToken?: string;
  readonly signal: AbortSignal;
}

export interface FetchedDocument {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * Speaks https only, follows no redirect, and bounds the size and the time of an answer. Rejects
 * with a message that says why there was none.
 */
export interface DocumentClient {
  get(request: DocumentRequest): Promise<FetchedDocument>;
  close(): void;
}

/** `authoritiesPem`: who may vouch for the peer; absent: the authorities of the system. */
export type OpenDocumentClient = (authoritiesPem?: string) => DocumentClient;
