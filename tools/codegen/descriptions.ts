// The documentation of types and fields, read from the declarations of `@kubernetes/client-node`,
// which carry the descriptions of OpenAPI.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { looseKey } from './model.ts';
import type { ModelStruct } from './model.ts';

export interface Description {
  readonly text: string;
  /** By `looseKey` of the name: the client renames fields that are no identifiers. */
  readonly fields: Readonly<Record<string, string>>;
}

function modelsDirectory(): string {
  const client = fileURLToPath(import.meta.resolve('@kubernetes/client-node'));
  return join(dirname(client), 'gen', 'models');
}

/**
 * `looseKey`s of the fields that the client declares as required, of a struct that it has; the key
 * is `scheduling.v1alpha2.PodGroupSpec`.
 */
export function requiredFields(key: string): string[] {
  const [group = '', version = '', goName = ''] = key.split('.');
  const models = modelsDirectory();
  for (const model of candidates({ packageName: `${group}.${version}`, goName })) {
    const file = join(models, `${model}.d.ts`);
    if (!existsSync(file)) continue;
    const source = readFileSync(file, 'utf8');
    return [...source.matchAll(/^ {4}'([^']+)': /gm)].map(([, name]) => looseKey(name ?? ''));
  }
  return [];
}

/** The description of each struct that the client has; by definition name. */
export function readDescriptions(structs: readonly ModelStruct[]): Map<string, Description> {
  const models = modelsDirectory();
  const found = new Map<string, Description>();
  for (const struct of structs) {
    for (const model of candidates(struct)) {
      const file = join(models, `${model}.d.ts`);
      if (!existsSync(file)) continue;
      const description = parseDeclaration(readFileSync(file, 'utf8'));
      if (!struct.fields.every((field) => looseKey(field.name) in description.fields)) continue;
      found.set(struct.name, description);
      break;
    }
  }
  return found;
}

/** `V1Pod`, and `CoreV1Event` for names that several groups have. */
function candidates(struct: Pick<ModelStruct, 'packageName' | 'goName'>): string[] {
  const [group = '', version = ''] = struct.packageName.split('.');
  const title = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
  const prefix = title(version);
  return [`${title(group)}${prefix}${struct.goName}`, `${prefix}${struct.goName}`];
}

function parseDeclaration(source: string): Description {
  const text = /\/\*\*\n\* (.*)\n\*\/\nexport declare class/.exec(source)?.[1] ?? '';
  const fields: Record<string, string> = {};
  const member = /(?:\/\*\*\n\s*\* (.*)\n\s*\*\/\n\s*)?'([^']+)'\??: /g;
  const body = source.slice(source.indexOf('export declare class'));
  for (const [, description, name] of body.matchAll(member)) {
    fields[looseKey(name ?? '')] = unescape(description ?? '');
  }
  return { text: unescape(text), fields };
}

function unescape(text: string): string {
  return text.replace(/\\(['"\\])/g, '$1');
}
