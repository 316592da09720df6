// YAML files of people: several documents, each with the lines on which its members stand, so that
// what is wrong can be said by line. Values are those of `parseYaml`; a key that is there twice is
// an error, for nobody means that.

import { EVENT_ID, getScalarValue, parseEvents, type Event } from 'js-yaml';
import type { JsonValue } from '../json.ts';
import { DecodeError } from './decode-error.ts';
import { parseYaml, yamlDepthMax } from './yaml.ts';
import { firstDocument, lineOf } from './yaml-messages.ts';

export type YamlPath = readonly (string | number)[];

export interface PositionedDocument {
  readonly value: JsonValue;
  /** The line of a member, from 1; of its nearest parent when it is not written there itself. */
  lineOf(path: YamlPath): number;
}

/** Empty documents are left out. Throws `DecodeError`, whose lines are those of the whole text. */
export function parseYamlDocuments(text: string): readonly PositionedDocument[] {
  const documents: PositionedDocument[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const end = /^\.\.\.[^\n]*\n?/.exec(rest)?.[0].length ?? 0;
    const own = firstDocument(rest.slice(end));
    // Lines before it, so that messages count from the start of the file.
    const lead = '\n'.repeat(lineOf(text, at + end) - 1);
    const document = readDocument(lead + own);
    if (document !== undefined) documents.push(document);
    at += end + Math.max(own.length, 1);
  }
  return documents;
}

function readDocument(text: string): PositionedDocument | undefined {
  const { value, duplicateKeys } = parseYaml(text);
  if (duplicateKeys !== undefined) throw new DecodeError(duplicateKeys, 'syntax');
  if (value === null) return undefined;
  let lines: ReadonlyMap<string, number> | undefined;
  return {
    value,
    lineOf(path) {
      lines ??= readLines(text);
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(JSON.stringify(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return lines.get('[]') ?? 1;
    },
  };
}

/** By path as JSON: of mapping members the line of the key, of list members that of the value. */
function readLines(text: string): ReadonlyMap<string, number> {
  const events = parseEvents(text, { maxDepth: yamlDepthMax });
  const lines = new Map<string, number>();
  const lineAt = createLineIndex(text);
  let at = 1;
  const note = (path: YamlPath, event: Event) => {
    const position = positionOf(event);
    if (position >= 0) lines.set(JSON.stringify(path), lineAt(position));
  };
  const node = (path: YamlPath, isNoted: boolean): void => {
    const event = events[at++];
    if (event === undefined) return;
    if (isNoted) note(path, event);
    if (event.type === EVENT_ID.SEQUENCE) {
      for (let index = 0; !isPop(events[at]); index++) node([...path, index], true);
      at++;
    } else if (event.type === EVENT_ID.MAPPING) {
      while (!isPop(events[at])) {
        const key = events[at];
        const name = key?.type === EVENT_ID.SCALAR ? getScalarValue(text, key) : '';
        const member = [...path, name];
        if (key !== undefined) note(member, key);
        if (key?.type === EVENT_ID.SCALAR || key?.type === EVENT_ID.ALIAS) at++;
        else node(member, false);
        node(member, false);
      }
      at++;
    }
  };
  node([], true);
  return lines;
}

/** Lines of positions that only grow. */
function createLineIndex(text: string): (position: number) => number {
  let line = 1;
  let next = text.indexOf('\n');
  return (position) => {
    for (; next >= 0 && next < position; next = text.indexOf('\n', next + 1)) line++;
    return line;
  };
}

function isPop(event: Event | undefined): boolean {
  return event === undefined || event.type === EVENT_ID.POP;
}

function positionOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return 'start' in event ? event.start : -1;
}
