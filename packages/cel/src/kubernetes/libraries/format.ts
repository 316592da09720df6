// Named formats: `format.dns1123Label().validate(self.name)` is none when the text is right, and the
// list of what is wrong otherwise.

import {
  declareFunction,
  globalOverload,
  memberOverload,
  type Library,
} from '../../library/library.ts';
import { celTypes, listType, optionalType } from '../../types/type.ts';
import { celList } from '../../values/list.ts';
import { optionalNone, optionalOf } from '../../values/scalars.ts';
import type { CelResult } from '../../values/value.ts';
import { formatValue, kubernetesTypes, type HeldValue } from '../types.ts';
import { namedFormats, type NamedFormat } from '../values/named-formats.ts';

const { namedFormat } = kubernetesTypes;
const { string } = celTypes;

const values = new Map([...namedFormats].map(([name, held]) => [name, formatValue.create(held)]));

function validate({ held }: HeldValue<NamedFormat>, text: string): CelResult {
  const problems = held.validate(text);
  return problems.length === 0 ? optionalNone : optionalOf(celList(problems));
}

function named(name: string): CelResult {
  const value = values.get(name);
  return value === undefined ? optionalNone : optionalOf(value);
}

export const formatLibrary: Library = {
  name: 'kubernetes.format',
  functions: [
    declareFunction(
      'validate',
      memberOverload(
        'format-validate',
        [[namedFormat, string], optionalType(listType(string))],
        validate,
      ),
    ),
    declareFunction(
      'format.named',
      globalOverload('format-named', [[string], optionalType(namedFormat)], named),
    ),
    ...[...values].map(([name, value]) =>
      declareFunction(
        `format.${name}`,
        globalOverload(`format.${name}`, [[], namedFormat], () => value),
      ),
    ),
  ],
};
