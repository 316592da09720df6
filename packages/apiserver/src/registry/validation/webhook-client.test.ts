import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';
import { webhookClientConfig, type WebhookClientConfigLike } from './webhook-client.ts';

const form = '; desired format: https://host[/path]';
const service = { namespace: 'ns', name: 'svc', port: 443 };

const rows: readonly (readonly [string, WebhookClientConfigLike, readonly string[]])[] = [
  ['a URL', { url: 'https://hooks.example.com/check' }, []],
  ['a service', { service: { ...service, path: '/check' } }, []],
  ['nothing', {}, ['c: Required value: exactly one of url or service is required']],
  [
    'both',
    { url: 'https://a', service },
    ['c: Required value: exactly one of url or service is required'],
  ],
  [
    'not TLS',
    { url: 'http://a' },
    [`c.url: Invalid value: "http": 'https' is the only allowed URL scheme${form}`],
  ],
  ['no host', { url: 'https:///a' }, [`c.url: Invalid value: "": host must be specified${form}`]],
  [
    'a user',
    { url: 'https://ann@a' },
    ['c.url: Invalid value: "ann": user information is not permitted in the URL'],
  ],
  [
    'a fragment',
    { url: 'https://a#b' },
    ['c.url: Invalid value: "b": fragments are not permitted in the URL'],
  ],
  [
    'no URL',
    { url: ':' },
    [`c.url: Required value: url must be a valid URL: parse ":": missing protocol scheme${form}`],
  ],
  [
    'a service of nowhere',
    { service: { port: 0 } },
    [
      'c.service.name: Required value: service name is required',
      'c.service.namespace: Required value: service namespace is required',
      'c.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
    ],
  ],
  [
    'a relative path',
    { service: { ...service, path: 'a' } },
    [
      `c.service.path: Invalid value: "a": must start with a '/'`,
      'c.service.path: Invalid value: "a": segment[0] may not be empty',
    ],
  ],
];

for (const [name, config, expected] of rows) {
  test(`webhook client: ${name}`, () => {
    const errors: Errors = [];
    webhookClientConfig(errors, 'c', config);
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}
