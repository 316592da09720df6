// Which form a client gets, and which bodies are taken.

import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { isStatusError } from '@keelson/apimachinery';
import { parseRequestInfo } from '../filters/request-info.ts';
import type { RequestContext } from '../request-context.ts';
import { negotiateInput, negotiateOutput, negotiateStatus } from './negotiation.ts';

/** As much of a context as negotiation looks at. */
function contextWith(headers: Record<string, string>, url = '/'): RequestContext {
  return { request: { headers }, info: parseRequestInfo('GET', url) } as unknown as RequestContext;
}

const table = 'as=Table;v=v1;g=meta.k8s.io';
const outputs: readonly [string | undefined, string][] = [
  [undefined, 'application/json'],
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/yaml', 'application/yaml'],
  ['application/vnd.kubernetes.protobuf', 'application/vnd.kubernetes.protobuf'],
  ['application/vnd.kubernetes.protobuf,application/json', 'application/vnd.kubernetes.protobuf'],
  ['text/html, application/json;q=0.1, application/yaml;q=0.9', 'application/yaml'],
  ['application/json;q=0, application/yaml', 'application/yaml'],
  [`application/json;${table}`, 'application/json Table v1'],
  [`application/json;as=Table;v=v9;g=meta.k8s.io,application/json`, 'application/json'],
  [
    'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    'application/json PartialObjectMetadata v1',
  ],
];
const refusedOutputs = [
  'text/html',
  'application/json;as=Table;v=v9;g=meta.k8s.io',
  'application/json;as=__proto__',
  'x'.repeat(5000),
];

describe('Accept', () => {
  for (const [accept, expected] of outputs)
    it(`${accept ?? 'nothing'} gets ${expected}`, () => {
      const format = negotiateOutput(contextWith(accept === undefined ? {} : { accept }));
      assert.equal(
        [format.mediaType, format.as, format.asVersion].filter(Boolean).join(' '),
        expected,
      );
    });
  for (const accept of refusedOutputs)
    it(`${accept.slice(0, 50)} is refused, and the refusal is JSON`, () => {
      const context = contextWith({ accept });
      assert.throws(
        () => negotiateOutput(context),
        (error) => isStatusError(error) && error.status.code === 406,
      );
      assert.equal(negotiateStatus(context).mediaType, 'application/json');
    });
  it('custom resources have no protobuf form', () => {
    const context = contextWith({ accept: 'application/vnd.kubernetes.protobuf' });
    assert.throws(() => negotiateOutput(context, true));
  });
});

describe('Content-Type', () => {
  for (const type of [
    '',
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/yaml',
  ])
    it(`${JSON.stringify(type)} is taken`, () => {
      assert.ok(negotiateInput(contextWith({ 'content-type': type })));
    });
  for (const type of [
    'text/plain',
    'application/xml',
    ';;;x',
    'application/json, application/yaml',
  ])
    it(`${type} is refused with 415`, () => {
      const read = () => negotiateInput(contextWith({ 'content-type': type }));
      if (type.startsWith(';')) assert.equal(read(), 'application/json');
      else assert.throws(read, (error) => isStatusError(error) && error.status.code === 415);
    });
});
