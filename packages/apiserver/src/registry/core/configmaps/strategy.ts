// ConfigMaps: keys, size, and data that may be frozen.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { ConfigMap } from '@keelson/apimachinery/types/core.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conformsKey, dataBytesMax, frozenData } from '../secrets/validation.ts';

export const configMapStrategy: Strategy<ConfigMap> = {
  validate: validateConfigMap,
  validateUpdate(configMap, old) {
    const errors: FieldError[] = [];
    frozenData(errors, [configMap, old], ['data', 'binaryData']);
    return [...errors, ...validateConfigMap(configMap)];
  },
  tableCells: (configMap, nowMs) => [
    configMap.metadata.name,
    Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length,
    age(configMap, nowMs),
  ],
};

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  const check = (path: string, key: string, [other, otherName]: readonly [object, string]) => {
    conformsKey(errors, path, key);
    if (key in other) {
      const why = `duplicate of key present in ${otherName}`;
      errors.push(fieldError.invalid(path, key, why));
    }
  };
  for (const [key, text] of Object.entries(data)) {
    check(`data[${key}]`, key, [binaryData, 'binaryData']);
    bytes += Buffer.byteLength(text);
  }
  for (const key of Object.keys(binaryData)) {
    check(`binaryData[${key}]`, key, [data, 'data']);
    bytes += Buffer.byteLength(binaryData[key] ?? '', 'base64');
  }
  // COMPAT: the error is about the whole object, so its path is empty.
  if (bytes > dataBytesMax) errors.push(fieldError.tooLong('', dataBytesMax));
  return errors;
}
