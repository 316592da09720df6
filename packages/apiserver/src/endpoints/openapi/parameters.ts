// Query and path parameters of API operations, with the texts of the option kinds they come from.

import { typeForKind } from '@keelson/apimachinery';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly required: boolean;
  readonly description: string;
}

const booleans = new Set([
  'allowWatchBookmarks',
  'force',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'sendInitialEvents',
  'watch',
]);
const integers = new Set(['gracePeriodSeconds', 'limit', 'timeoutSeconds']);
const pathDescriptions: Readonly<Record<string, string>> = {
  namespace: 'object name and auth scope, such as for teams and projects',
  path: 'path to the resource',
};
const prettyDescription =
  "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).";

export function queryParameter(name: string): Parameter {
  const type = booleans.has(name) ? 'boolean' : integers.has(name) ? 'integer' : 'string';
  return {
    name,
    in: 'query',
    type,
    required: false,
    description: name === 'pretty' ? prettyDescription : describe(name),
  };
}

export function pathParameter(name: string, kind: string): Parameter {
  return {
    name,
    in: 'path',
    type: 'string',
    required: true,
    description: pathDescriptions[name] ?? `name of the ${kind}`,
  };
}

const optionKinds = ['ListOptions', 'PatchOptions', 'DeleteOptions', 'GetOptions'];

/** The description of the option field with this name. */
function describe(name: string): string {
  for (const kind of optionKinds) {
    const text = typeForKind({ group: 'meta.k8s.io', version: 'v1', kind })?.byName.get(
      name,
    )?.description;
    if (text) return text;
  }
  return '';
}
