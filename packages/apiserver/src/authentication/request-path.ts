// The path of a request's URL as every decision about it must read it: decoded once, no query.

/** `/livez%20x?verbose` is `/livez x`. A path that cannot be decoded stays as it was sent. */
export function parseRequestPath(url: string): string {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  const path = raw.startsWith('/') ? raw : `/${raw}`;
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
