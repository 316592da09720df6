// The files that configurations of admission name, as the file system has them.

import { readdirSync, readFileSync, statSync, watch } from 'node:fs';
import type { ConfigurationFiles } from '@keelson/apiserver';

export const fileSystemConfigurationFiles: ConfigurationFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  list(folder) {
    if (!statSync(folder).isDirectory()) return undefined;
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]));
  },
  watch(folder, onChange, signal) {
    const watcher = watch(folder, { persistent: false, signal }, onChange);
    // A folder that cannot be watched (any more) is looked at from time to time.
    watcher.on('error', () => watcher.close());
  },
};
