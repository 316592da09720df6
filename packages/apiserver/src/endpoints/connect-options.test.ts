import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinResources } from '@keelson/apimachinery';
import { parseRequestInfo } from '../filters/request-info.ts';
import { connectOptions } from './connect-options.ts';
import type { ResourceRequest } from './resource-request.ts';

const pod = '/api/v1/namespaces/shop/pods/web';

const rows: readonly (readonly [url: string, options: object | undefined])[] = [
  [
    `${pod}/exec?command=ls&command=-l&container=app&stdout=true&stderr=1&tty=false`,
    {
      kind: 'PodExecOptions',
      apiVersion: 'v1',
      stdout: true,
      stderr: true,
      container: 'app',
      command: ['ls', '-l'],
    },
  ],
  [
    `${pod}/portforward?ports=80&ports=443`,
    { kind: 'PodPortForwardOptions', apiVersion: 'v1', ports: [80, 443] },
  ],
  [`${pod}/attach`, { kind: 'PodAttachOptions', apiVersion: 'v1' }],
  [
    `${pod}/proxy/metrics/all?x=1`,
    { kind: 'PodProxyOptions', apiVersion: 'v1', path: '/metrics/all' },
  ],
  [`${pod}/exec?kind=Secret&apiVersion=v2`, { kind: 'PodExecOptions', apiVersion: 'v1' }],
  [`${pod}/unknown`, undefined],
];
for (const [url, options] of rows)
  test(`what ${url} asks for`, () => {
    const definition = builtinResources().find((r) => r.group === '' && r.resource === 'pods');
    const info = parseRequestInfo('POST', url);
    const request = { context: { info }, endpoint: { definition }, subresource: info.subresource };
    assert.deepEqual(connectOptions(request as unknown as ResourceRequest), options);
  });
