// Watches over WebSockets: the handshake and its refusals, one message an event, and both encodings.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { WebSocket, type ClientOptions } from 'ws';
import { createCertificateAuthority } from '../authentication/certificates/certificate-authority.ts';
import { defaultLimits } from '../config.ts';
import { createTestServer, type TestServer } from '../testing.ts';
import { openListener, type Listener } from '../transport/listener.ts';

const origin = 'https://console.example.com';
const bearer = (token: string) =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;

describe('a watch over a WebSocket', () => {
  let test: TestServer;
  let listener: Listener;
  before(async () => {
    test = await createTestServer({
      limits: { watchBacklogBytesMax: 100_000 },
      staticTokens: [
        { token: 't', user: { name: 'ann', uid: '', groups: ['system:masters'], extra: {} } },
        { token: 'b', user: { name: 'bob', uid: '', groups: [], extra: {} } },
      ],
    });
    const authority = createCertificateAuthority(
      { clock: systemClock, random: systemRandom },
      { commonName: 'test' },
    );
    const serving = authority.issueServing({
      commonName: 'x',
      dnsNames: [],
      ipAddresses: ['127.0.0.1'],
    });
    listener = await openListener(test.server.serve, {
      address: '127.0.0.1',
      port: 0,
      certificate: serving.certificatePem,
      key: serving.privateKeyPem,
      http2: true,
      limits: defaultLimits,
    });
    await create('first');
  });
  after(async () => {
    await listener.close(0);
    await test.close();
  });
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const create = async (name: string) => {
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
    const { status, text } = await test.admin('POST', configMaps, { metadata: { name } });
    assert.equal(status, 201, text);
  };
  const open = (protocols: string[], options: ClientOptions & { path?: string } = {}) =>
    new WebSocket(
      `wss://127.0.0.1:${listener.port}${options.path ?? `${configMaps}?watch=true`}`,
      protocols,
      { origin, rejectUnauthorized: false, ...options },
    );

  it('is one text message an event', async () => {
    const socket = open(['base64.binary.k8s.io', bearer('t')]);
    const messages = collect(socket);
    const first = await messages.next();
    assert.equal(socket.protocol, 'base64.binary.k8s.io');
    assert.equal(first.isBinary, false);
    const event = JSON.parse(first.text) as { type: string; object: { metadata: object } };
    assert.equal(event.type, 'ADDED');
    await create('second');
    const second = JSON.parse((await messages.next()).text) as typeof event;
    assert.equal((second.object.metadata as { name: string }).name, 'second');
    socket.terminate();
  });

  it('is one binary message an event in protobuf, without a frame', async () => {
    const socket = open([], {
      headers: {
        authorization: 'Bearer t',
        accept: 'application/vnd.kubernetes.protobuf;stream=watch',
      },
    });
    const { isBinary, bytes } = await collect(socket).next();
    assert.equal(socket.protocol, '');
    assert.equal(isBinary, true);
    // WatchEvent: field 1, the type.
    assert.deepEqual([...bytes.subarray(0, 7)], [0x0a, 5, ...Buffer.from('ADDED')]);
    socket.terminate();
  });

  it('ends with its time, in good form', async () => {
    const path = `${configMaps}?watch=true&timeoutSeconds=1`;
    const socket = open([], { path, headers: { authorization: 'Bearer t' } });
    const code = await new Promise<number>((resolve) => socket.on('close', resolve));
    assert.equal(code, 1000);
  });

  it('ignores what the client says', async () => {
    const socket = open([], { headers: { authorization: 'Bearer t' } });
    const messages = collect(socket);
    await messages.next();
    socket.send('hello');
    await create('third');
    for (;;) if ((await messages.next()).text.includes('"name":"third"')) break;
    socket.terminate();
  });

  const ann = { authorization: 'Bearer t' };
  const refusals: readonly {
    readonly name: string;
    readonly protocols?: string[];
    readonly options: ClientOptions;
    readonly status: number;
  }[] = [
    { name: 'no credentials', options: {}, status: 403 },
    { name: 'a bad token', protocols: ['x.k8s.io', bearer('no')], options: {}, status: 401 },
    { name: 'a token and nothing else', protocols: [bearer('t')], options: {}, status: 401 },
    { name: 'a user who may not', protocols: ['x.k8s.io', bearer('b')], options: {}, status: 403 },
    { name: 'no origin', options: { origin: undefined, headers: ann }, status: 403 },
    { name: 'an origin from nowhere', options: { origin: 'null', headers: ann }, status: 403 },
    {
      name: 'two subprotocols',
      protocols: ['a.k8s.io', 'b.k8s.io'],
      options: { headers: ann },
      status: 400,
    },
    { name: 'an old version', options: { protocolVersion: 8, headers: ann }, status: 400 },
  ];
  for (const { name, protocols = [], options, status } of refusals) {
    it(`is refused with ${name}`, async () => {
      const socket = open(protocols, options);
      const answered = await new Promise<number | undefined>((resolve, reject) => {
        socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode));
        socket.on('open', () => reject(new Error('accepted')));
        socket.on('error', reject);
      });
      assert.equal(answered, status);
      socket.terminate();
    });
  }

  it('that fails before it begins is an ordinary answer', async () => {
    const path = `${configMaps}?watch=true&resourceVersion=x`;
    const socket = open([], { path, headers: ann });
    const answered = await new Promise<number | undefined>((resolve) =>
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
    );
    assert.equal(answered, 500);
    socket.on('error', () => {});
    socket.terminate();
  });
});

interface Message {
  readonly isBinary: boolean;
  readonly bytes: Buffer;
  readonly text: string;
}

function collect(socket: WebSocket) {
  const ready: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    const message = { isBinary, bytes, text: bytes.toString() };
    const next = waiting.shift();
    if (next === undefined) ready.push(message);
    else next(message);
  });
  return {
    next: () =>
      new Promise<Message>((resolve, reject) => {
        socket.on('error', reject);
        const message = ready.shift();
        if (message === undefined) waiting.push(resolve);
        else resolve(message);
      }),
  };
}
