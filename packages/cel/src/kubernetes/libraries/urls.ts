// URLs: `url('https://host:8443/a?x=1').getPort()`.

import {
  declareFunction,
  globalOverload,
  memberOverload,
  type Library,
} from '../../library/library.ts';
import { celTypes, listType, mapType } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { celList } from '../../values/list.ts';
import { celMap } from '../../values/map.ts';
import type { CelResult } from '../../values/value.ts';
import { kubernetesTypes, urlValue, type HeldValue } from '../types.ts';
import {
  hostnameOf,
  parseUrl,
  portOf,
  queryOf,
  requestUriProblem,
  type ParsedUrl,
} from '../values/url.ts';

const { url } = kubernetesTypes;
const { bool, string } = celTypes;

function fromText(text: string): CelResult {
  const parsed = parseUrl(text);
  if (!('error' in parsed)) return urlValue.create(parsed);
  return celError(`URL parse error during conversion from string: ${parsed.error}`);
}

const part = (name: string, id: string, read: (url: ParsedUrl) => string) =>
  declareFunction(
    name,
    memberOverload(id, [[url], string], ({ held }: HeldValue<ParsedUrl>) => read(held)),
  );

export const urlLibrary: Library = {
  name: 'kubernetes.urls',
  functions: [
    declareFunction('url', globalOverload('string_to_url', [[string], url], fromText)),
    declareFunction(
      'isURL',
      globalOverload(
        'is_url_string',
        [[string], bool],
        (text: string) => requestUriProblem(text) === undefined,
      ),
    ),
    part('getScheme', 'url_get_scheme', (parsed) => parsed.scheme),
    part('getHost', 'url_get_host', (parsed) => parsed.host),
    part('getHostname', 'url_get_hostname', hostnameOf),
    part('getPort', 'url_get_port', portOf),
    part('getEscapedPath', 'url_get_escaped_path', (parsed) => parsed.escapedPath),
    declareFunction(
      'getQuery',
      memberOverload(
        'url_get_query',
        [[url], mapType(string, listType(string))],
        ({ held }: HeldValue<ParsedUrl>) =>
          celMap([...queryOf(held)].map(([key, values]) => [key, celList(values)])),
      ),
    ),
  ],
};
