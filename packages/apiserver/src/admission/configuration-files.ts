// The files that configurations of admission name: kubeconfigs, keys, tokens, manifests. Paths are
// absolute. Whoever owns the process hands this in; nothing here opens a file by itself.

export interface ConfigurationFiles {
  /** The text of a file. Throws an error that says why it cannot be read. */
  read(path: string): string;
  /** The names in a folder; undefined when it is none. Throws when it cannot be read. */
  list(folder: string): readonly string[] | undefined;
  /** Calls `onChange` after something in the folder may have changed, until the signal is aborted. */
  watch?(folder: string, onChange: () => void, signal: AbortSignal): void;
}

/** For servers without files of their own. */
export const noConfigurationFiles: ConfigurationFiles = {
  read: (path) => {
    throw new Error(`open ${path}: this server reads no files`);
  },
  list: () => undefined,
};
