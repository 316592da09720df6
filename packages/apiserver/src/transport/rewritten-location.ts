// Where a redirect of a server behind the proxy leads, as its client must see it:
//
//   /login                 the same server      → /api/v1/…/services/web/proxy/login
//   http://10.1.2.3:80/x   its own address      → /api/v1/…/services/web/proxy/x
//   next, https://other/   relative, or another → as it is

export interface ProxiedPlace {
  /** Path of the proxy, under which the server behind has its root. */
  readonly prefix: string;
  /** `host:port` of the server behind. */
  readonly behind: string;
  /** `host:port` under which the client reaches the proxy. */
  readonly host: string;
}

export function rewrittenLocation(location: string, place: ProxiedPlace): string {
  const absolute = /^([a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)(.*)$/i.exec(location);
  const host = absolute?.[2] ?? '';
  const rest = absolute === null ? location : (absolute[3] ?? '');
  const isElsewhere = host !== '' && host !== place.behind && host !== place.host;
  if (isElsewhere || !rest.startsWith('/')) return location;
  if (rest.startsWith(place.prefix)) return rest;
  const end = rest.search(/[?#]/);
  const path = end < 0 ? rest : rest.slice(0, end);
  return `${joinPaths(place.prefix, path)}${rest.slice(path.length)}`;
}

/** As Go's path.Join, but a last slash stays. */
function joinPaths(prefix: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${prefix}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}${path.endsWith('/') && parts.length > 0 ? '/' : ''}`;
}
