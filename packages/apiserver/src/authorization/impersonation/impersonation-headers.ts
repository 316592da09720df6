// Whom does a request want to be? Read from the `Impersonate-*` headers, before anything is
// checked.

import { compareGoStrings, quoteGo, statusErrors } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { everyHeaderValue, headerValues, percentDecodedKey } from '../../authentication/headers.ts';
import type { ApiRequest } from '../../http.ts';

const extraPrefix = 'impersonate-extra-';

/**
 * The user as the headers describe it, nothing added; undefined when impersonation is not asked
 * for. Throws a 400 when there is something to impersonate but no user; `constrained` decides its
 * wording.
 */
export function readImpersonationHeaders(
  request: ApiRequest,
  constrained: boolean,
): UserInfo | undefined {
  const { headers } = request;
  const name = single(request, 'Impersonate-User');
  const uid = single(request, 'Impersonate-Uid');
  const groups = headerValues(headers, 'impersonate-group');
  const extra = new Map<string, string[]>();
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = percentDecodedKey(header.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), ...headerValues(headers, header)]);
  }
  if (name === '' && uid === '' && groups.length === 0 && extra.size === 0) return undefined;
  const wanted = { name, uid, groups, extra: Object.fromEntries(extra) };
  if (name !== '') return wanted;
  throw statusErrors.badRequest(
    constrained
      ? `requested ${describeWanted(wanted)} without impersonating a user name`
      : `requested ${describeRequests(wanted)} without impersonating a user`,
  );
}

/** SECURITY: of two values each reader may take another one, so there may not be two. */
function single(request: ApiRequest, header: string): string {
  const values = everyHeaderValue(request, header);
  if (values.length > 1)
    throw statusErrors.badRequest(`the header ${header} is there more than once`);
  return values[0] ?? '';
}

/** The request as everybody behind impersonation sees it. */
export function withoutImpersonationHeaders(request: ApiRequest): ApiRequest {
  const kept = Object.entries(request.headers).filter(([name]) => !name.startsWith('impersonate-'));
  return { ...request, headers: Object.fromEntries(kept) };
}

// COMPAT: Kubernetes prints Go values here, `%#v` of the user in the constrained filter …
function describeWanted({ name, uid, groups, extra }: UserInfo): string {
  const list = (values: readonly string[]) => `[]string{${values.map(quoteGo).join(', ')}}`;
  const entries = Object.entries(extra)
    .sort(([a], [b]) => compareGoStrings(a, b))
    .map(([key, values]) => `${quoteGo(key)}:${list(values)}`);
  const groupText = groups.length === 0 ? '[]string(nil)' : list(groups);
  const extraText =
    entries.length === 0
      ? 'map[string][]string(nil)'
      : `map[string][]string{${entries.join(', ')}}`;
  return `&user.DefaultInfo{Name:${quoteGo(name)}, UID:${quoteGo(uid)}, Groups:${groupText}, Extra:${extraText}}`;
}

// … and `%v` of a list of object references in the older one.
function describeRequests({ uid, groups, extra }: UserInfo): string {
  const version = 'authentication.k8s.io/v1';
  const reference = (kind: string, name: string, more = { apiVersion: '', fieldPath: '' }) =>
    `{${[kind, '', name, '', more.apiVersion, '', more.fieldPath].join(' ')}}`;
  return `[${[
    ...groups.map((group) => reference('Group', group)),
    ...Object.entries(extra).flatMap(([fieldPath, values]) =>
      values.map((value) => reference('UserExtra', value, { apiVersion: version, fieldPath })),
    ),
    ...(uid === '' ? [] : [reference('UID', uid, { apiVersion: version, fieldPath: '' })]),
  ].join(' ')}]`;
}
