// Regenerates what apimachinery knows about the built-in API:
//
//   npm run codegen -- --facts DIR
//
// DIR holds the fact tables of a reference server; without it, `$KEELSON_REFERENCE/facts`.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readDescriptions } from './descriptions.ts';
import { emitDescriptions, emitResources, emitSchemaTable } from './emit-table.ts';
import { emitTypes } from './emit-types.ts';
import { readFacts } from './facts.ts';
import { buildModel } from './model.ts';

const output = fileURLToPath(
  new URL('../../packages/apimachinery/src/generated/', import.meta.url),
);

function main(): void {
  const { values } = parseArgs({ options: { facts: { type: 'string' } } });
  const reference = process.env['KEELSON_REFERENCE'];
  const directory =
    values.facts ?? (reference === undefined ? undefined : join(reference, 'facts'));
  if (directory === undefined) {
    console.error('usage: npm run codegen -- --facts DIR (or set KEELSON_REFERENCE)');
    process.exitCode = 2;
    return;
  }
  const facts = readFacts(directory);
  const structs = buildModel(facts);
  const descriptions = readDescriptions(structs);
  const types = join(output, 'types');
  rmSync(types, { recursive: true, force: true });
  mkdirSync(types, { recursive: true });
  for (const [file, source] of emitTypes(structs, descriptions)) {
    writeFileSync(join(types, file), source);
  }
  writeFileSync(join(output, 'schema.json'), emitSchemaTable(structs));
  writeFileSync(join(output, 'descriptions.json'), emitDescriptions(structs, descriptions));
  writeFileSync(join(output, 'resources.json'), emitResources(facts, structs));
  const silent = structs.filter((struct) => !descriptions.has(struct.name));
  console.log(`${structs.length} structs, ${silent.length} without description`);
}

main();
