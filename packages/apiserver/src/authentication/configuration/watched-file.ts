// A file that is read again while the server runs. Declared here, made by the composition root.

export interface WatchedFile {
  /** Rejects when it cannot be read now. */
  read(): Promise<Uint8Array>;
  /**
   * Calls `check` when the file may have changed, and once a minute in any case; answers the
   * function that ends it.
   */
  watch(check: () => void): () => void;
}
