// Where something was written, for whoever must find it again.

import type { JsonObject } from '@keelson/apimachinery';

export interface Source {
  readonly file: string;
  readonly line: number;
}

/** An object and where it was written. */
export interface SourcedObject {
  readonly object: JsonObject;
  readonly source: Source;
}

/** What was written cannot be used. The message starts with file and line. */
export class SourceError extends Error {
  constructor({ file, line }: Source, message: string, cause?: unknown) {
    super(`${file}:${line}: ${message}`, { cause });
    this.name = 'SourceError';
  }
}
