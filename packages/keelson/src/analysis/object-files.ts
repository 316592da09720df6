// Objects in files: YAML or JSON, several documents in one file, a directory with all that is in it.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseYamlDocuments, type JsonObject } from '@keelson/apimachinery';

const extensions = /\.(ya?ml|json)$/;

/** In the order of the names; lists are their items. Throws DecodeError and the file system's errors. */
export function readObjectFiles(paths: readonly string[]): JsonObject[] {
  return paths.flatMap(filesIn).flatMap(readObjectFile);
}

export function readObjectFile(path: string): JsonObject[] {
  const documents = parseYamlDocuments(readFileSync(path, 'utf8'));
  return documents
    .map(({ value }) => value)
    .filter(isJsonObject)
    .flatMap(itemsOf);
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return entries.flatMap((entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return filesIn(inside);
    return extensions.test(entry.name) ? [inside] : [];
  });
}

function itemsOf(object: JsonObject): JsonObject[] {
  const { kind, items } = object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [object];
  return items.filter(isJsonObject).flatMap(itemsOf);
}
