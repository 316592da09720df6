// How the field `ports` of a behaviour is written. In a rule it is a list:
//
//   - {port: 6379, tcp: "+PONG\r\n"}
//   - {port: 8080, http: hello}
//   - port: 8081
//     http: [{path: /healthz, body: ok}, {path: '*', status: 503, headers: {retry-after: '5'}}]
//
// and in a line of text, such as an annotation has, `6379 tcp +PONG` or `8080 http hello`.

import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isJsonObject, type JsonValue } from '@keelson/apimachinery';
import { BehaviourError } from './behaviour-error.ts';
import type { HttpAnswer, PortAnswer } from './container-behaviour.ts';

const portsMax = 100;
const answersMax = 1_000;

/** Throws BehaviourError. */
export function portAnswers(value: JsonValue): readonly PortAnswer[] {
  const items =
    typeof value === 'string' ? value.split('\n').filter((line) => line.trim() !== '') : value;
  if (!Array.isArray(items) || items.length > portsMax)
    throw new BehaviourError(`a list of at most ${portsMax} ports is expected`);
  return items.map((item) => (typeof item === 'string' ? lineOfPort(item) : portAnswer(item)));
}

function lineOfPort(line: string): PortAnswer {
  const [, port, kind, text = ''] = /^\s*(\d+) (tcp|http)(?: (.*))?$/.exec(line) ?? [];
  if (kind === undefined)
    throw new BehaviourError('a port, tcp or http, and a text are expected: 8080 http hello');
  return portAnswer({ port: Number(port), [kind]: text });
}

function portAnswer(value: JsonValue): PortAnswer {
  const { port, tcp, http } = fieldsOf(value, 'a port', ['port', 'tcp', 'http']);
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new BehaviourError('ports are from 1 to 65535');
  if ((tcp === undefined) === (http === undefined))
    throw new BehaviourError('a port needs tcp or http');
  if (tcp !== undefined) return { port, text: textOf(tcp, 'tcp') };
  if (typeof http === 'string') return { port, http: [httpAnswer({ path: '*', body: http })] };
  if (!Array.isArray(http) || http.length > answersMax)
    throw new BehaviourError(`http: a text or at most ${answersMax} answers are expected`);
  return { port, http: http.map(httpAnswer) };
}

function httpAnswer(value: JsonValue): HttpAnswer {
  const {
    path = '*',
    status = 200,
    headers = {},
    body = '',
  } = fieldsOf(value, 'an answer', ['path', 'status', 'headers', 'body']);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
    throw new BehaviourError('a status is from 200 to 599');
  if (!isJsonObject(headers)) throw new BehaviourError('headers are an object');
  return {
    path: textOf(path, 'path'),
    status,
    headers: Object.fromEntries(Object.entries(headers).map(headerOf)),
    body: textOf(body, 'body'),
  };
}

function headerOf([name, value]: [string, JsonValue | undefined]): [string, string] {
  const text = textOf(value, name);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, text);
  } catch {
    throw new BehaviourError(`${JSON.stringify(name)} is no header, or has no value of one`);
  }
  // Others would not fit the body.
  if (/^(content-length|transfer-encoding|connection)$/i.test(name))
    throw new BehaviourError(`the header ${name} follows from the body`);
  return [name.toLowerCase(), text];
}

function fieldsOf(value: JsonValue | undefined, what: string, known: readonly string[]) {
  if (!isJsonObject(value)) throw new BehaviourError(`${what} is an object`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new BehaviourError(`unknown field ${JSON.stringify(unknown)} of ${what}`);
  return value;
}

function textOf(value: JsonValue | undefined, name: string): string {
  if (typeof value !== 'string') throw new BehaviourError(`${name}: a text is expected`);
  return value;
}
