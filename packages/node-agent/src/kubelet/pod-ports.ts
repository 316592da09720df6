// What answers at the ports of simulated pods: what the rules say of the first running container
// that has the port. HTTP is spoken by node's own server, over streams in memory.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import type { HttpAnswer, PortAnswer } from '../simulated/container-behaviour.ts';
import { globMatcher } from '../simulated/glob.ts';
import { isRunning, type PodRecord } from '../simulated/pod-record.ts';

export interface PodPorts {
  /** A connection; undefined when nothing listens there. */
  connect(record: PodRecord, port: number): Duplex | undefined;
}

export function createPodPorts(): PodPorts {
  const answersOf = new WeakMap<Duplex, readonly HttpAnswer[]>();
  const server = createServer((request, response) =>
    answerHttp(request, response, answersOf.get(request.socket) ?? []),
  );
  return {
    connect(record, port) {
      const answer = answerAt(record, port);
      if (answer === undefined) return undefined;
      const [near, far] = duplexPair();
      far.on('error', () => {});
      if (answer.text === undefined) {
        answersOf.set(far, answer.http);
        server.emit('connection', far);
      } else {
        far.end(answer.text);
        far.resume();
      }
      return near;
    },
  };
}

function answerAt({ containers }: PodRecord, port: number): PortAnswer | undefined {
  return containers
    .filter(isRunning)
    .flatMap(({ behaviour }) => behaviour.ports)
    .find((answer) => answer.port === port);
}

function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  answers: readonly HttpAnswer[],
): void {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const found = answers.find((answer) => globMatcher(answer.path)(path));
  const { status, headers, body } = found ?? notFound;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

const notFound = { status: 404, headers: {}, body: '404 page not found\n' };
