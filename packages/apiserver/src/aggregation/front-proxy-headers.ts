// How the aggregator tells an extension server who the caller is: the headers of an authenticating
// proxy, which that server believes because of our front-proxy certificate.
//
//   X-Remote-User, X-Remote-Uid, X-Remote-Group (one line each), X-Remote-Extra-<escaped key>

import type { UserInfo } from '../authentication/authenticator.ts';
import type { Features } from '../features/features.ts';

/** The aggregator's own requests: what every extension server must answer to anybody. */
export const aggregatorUser: UserInfo = {
  name: 'system:kube-aggregator',
  uid: '',
  groups: ['system:masters'],
  extra: {},
};

export function frontProxyHeaders(
  user: UserInfo,
  features: Features,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'X-Remote-User': headerText(user.name) };
  if (user.uid !== '' && features.enabled('RemoteRequestHeaderUID'))
    headers['X-Remote-Uid'] = headerText(user.uid);
  if (user.groups.length > 0) headers['X-Remote-Group'] = user.groups.map(headerText);
  for (const [key, values] of Object.entries(user.extra))
    headers[`X-Remote-Extra-${escapeKey(key)}`] = values.map(headerText);
  return headers;
}

/** What a header name cannot carry, and the percent sign itself, as `%XX` of its bytes. */
function escapeKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** Node writes header values one byte a character; on the wire they are UTF-8. */
function headerText(value: string): string {
  return /[^\u0000-\u007f]/.test(value) ? Buffer.from(value).toString('latin1') : value;
}
