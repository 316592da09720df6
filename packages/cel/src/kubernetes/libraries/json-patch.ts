// `jsonpatch.escapeKey('a/b')`: a key as it stands in a JSON pointer.

import { declareFunction, globalOverload, type Library } from '../../library/library.ts';
import { celTypes } from '../../types/type.ts';

const { string } = celTypes;

export const jsonPatchLibrary: Library = {
  name: 'kubernetes.jsonpatch',
  functions: [
    declareFunction(
      'jsonpatch.escapeKey',
      globalOverload('string_jsonpatch_escapeKey_string', [[string], string], (key: string) =>
        key.replaceAll('~', '~0').replaceAll('/', '~1'),
      ),
    ),
  ],
};
