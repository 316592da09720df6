// Objects as YAML, as `sigs.k8s.io/yaml` writes them: keys sorted, lists not indented, texts quoted
// when YAML 1.1 would read them as something else.

import { dump, YAML11_SCHEMA } from 'js-yaml';
import { encodeJsonText } from './encode-json.ts';

/** The YAML of what `encodeJson` would write. */
export function encodeYaml(value: unknown): Uint8Array {
  const plain: unknown = JSON.parse(encodeJsonText(value));
  return Buffer.from(dump(plain, { sortKeys: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', seqNoIndent: true, schema: YAML11_SCHEMA }));
}
