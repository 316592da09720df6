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

/** The description of each struct that the client has; by definition name. */
export function readDescriptions(structs: readonly ModelStruct[]): Map<string, Description> {
  const client = fileURLToPath(import.meta.resolve('@kubernetes/client-node'));
  const models = join(dirname(client), 'gen', 'models');
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
function candidates(struct: ModelStruct): string[] {
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
