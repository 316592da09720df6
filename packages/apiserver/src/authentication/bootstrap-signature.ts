// The signature by which a new node knows the cluster's information: a detached JWS (RFC 7515,
// appendix F) with HMAC-SHA256, keyed with the secret half of a bootstrap token that both know.
//
// COMPAT: kubeadm makes the signature again and compares texts, so the header is exactly this.

import { createHmac } from 'node:crypto';

/** `<header>..<signature>` of `content`. */
export function signForBootstrap(
  content: string,
  token: { readonly id: string; readonly secret: string },
): string {
  const encode = (text: string) => Buffer.from(text, 'utf8').toString('base64url');
  const header = encode(JSON.stringify({ alg: 'HS256', kid: token.id }));
  const signature = createHmac('sha256', token.secret).update(`${header}.${encode(content)}`);
  return `${header}..${signature.digest('base64url')}`;
}
