// What can go wrong with a call of a webhook, in the words of Go and client-go, which is what
// people look for.

import { isIP } from 'node:net';

interface NodeFailure {
  readonly code?: string;
  readonly syscall?: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
  readonly reason?: string;
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
  readonly message: string;
}

const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);
const unusableBundle = new Set(['ERR_OSSL_PEM_NO_START_LINE', 'ERR_OSSL_PEM_BAD_BASE64_DECODE']);

/** Why there was no answer, as it follows `Post "https://…": `. */
export function connectionErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const failure: NodeFailure = firstOf(error);
  const { code = '', hostname = '', address = '', port = 0 } = failure;
  const at = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  if (unknownAuthority.has(code)) return certificate('certificate signed by unknown authority');
  if (unusableBundle.has(code)) return 'unable to load root certificates';
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${at}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${at}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${at}: connect: network is unreachable`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostname}: no such host`;
    case 'ECONNRESET':
    case 'HPE_INVALID_EOF_STATE':
      return 'EOF';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return certificate('certificate has expired or is not yet valid');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return certificate(otherName(failure));
    default:
      return failure.message;
  }
}

/** A connection that was tried at several addresses fails with an error for each. */
function firstOf(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error;
}

const certificate = (why: string) => `tls: failed to verify certificate: x509: ${why}`;

/** COMPAT: only names of the kind that was wanted are listed. */
function otherName({ host = '', cert }: NodeFailure): string {
  const isAddress = isIP(host) !== 0;
  const kind = isAddress ? 'IP Address:' : 'DNS:';
  const names = (cert?.subjectaltname ?? '')
    .split(', ')
    .flatMap((name) => (name.startsWith(kind) ? [name.slice(kind.length)] : []));
  if (names.length > 0) return `certificate is valid for ${names.join(', ')}, not ${host}`;
  return isAddress
    ? `cannot validate certificate for ${host} because it doesn't contain any IP SANs`
    : `certificate is not valid for any names, but wanted to match ${host}`;
}

const refusals: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  403: 'unknown',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  406: 'the server was unable to respond with a content type that the client supports: unknown',
  409: 'the server reported a conflict',
  410: 'the server could not find the requested resource, or it has been permanently deleted',
  415: 'the server was unable to understand the content type of the request: unknown',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** Why the webhook refused: its `Status` says so, else the status code does. */
export function refusalText(status: number, body: Uint8Array): string {
  const told = statusMessage(body);
  if (told !== undefined) return told;
  const text = refusals[status];
  if (text !== undefined) return text;
  if (status >= 500)
    return 'an error on the server ("unknown") has prevented the request from succeeding';
  return `the server responded with the status code ${status} but did not return more information`;
}

function statusMessage(body: Uint8Array): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { apiVersion, kind, message } = parsed as Record<string, unknown>;
    const isStatus = apiVersion === 'v1' && kind === 'Status';
    return isStatus && typeof message === 'string' && message !== '' ? message : undefined;
  } catch {
    return undefined;
  }
}
