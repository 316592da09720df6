// The keys and certificates of one control plane, as files below the data directory, made once:
//
//   pki/ca.crt ca.key            the authority of everything below
//   pki/apiserver.crt .key       serving; made anew when an address or name is missing or it expires soon
//   pki/admin.crt .key           system:masters, for the kubeconfig
//   pki/sa.key                   signs service account tokens
//   pki/apiserver-kubelet-client.crt .key  what kubelets know the server by
//   pki/front-proxy-ca.crt .key  the authority of the next, and of nothing else
//   pki/front-proxy-client.crt   what extension API servers know the aggregator by
//
// SECURITY: keys are 0600 in a directory of 0700.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Random } from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  createSigningKey,
  formatSigningKey,
  loadCertificateAuthority,
  parseCertificate,
  parseSigningKey,
  readPem,
  type CertificateAuthority,
  type KeyPairPem,
  type SigningKey,
} from '@keelson/apiserver';

export interface ServingNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}
export interface Pki {
  readonly authority: CertificateAuthority;
  readonly serving: KeyPairPem;
  readonly admin: KeyPairPem;
  readonly serviceAccountKey: SigningKey;
  readonly frontProxy: FrontProxyIdentity;
  readonly kubeletClient: KeyPairPem;
}
export interface FrontProxyIdentity {
  readonly authorityPem: string;
  readonly client: KeyPairPem;
}
export interface PkiDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** A serving certificate with less than this to live is made anew at start. */
const renewBeforeMs = 30 * 24 * 3600 * 1000;
export const adminName = 'kubernetes-admin';
/** The one name that may speak for others with a certificate of the front-proxy authority. */
export const frontProxyName = 'front-proxy-client';

/** Everything in memory, for clusters without files. */
export function createPki(dependencies: PkiDependencies, names: ServingNames): Pki {
  const authority = createCertificateAuthority(dependencies, { commonName: 'keelson-ca' });
  return {
    authority,
    serving: issueServing(authority, names),
    admin: issueAdmin(authority),
    serviceAccountKey: createSigningKey(),
    frontProxy: createFrontProxy(dependencies),
    kubeletClient: issueKubeletClient(authority),
  };
}

function createFrontProxy(dependencies: PkiDependencies): FrontProxyIdentity {
  const authority = createFrontProxyAuthority(dependencies);
  return { authorityPem: authority.certificatePem, client: issueFrontProxyClient(authority) };
}
const createFrontProxyAuthority = (dependencies: PkiDependencies): CertificateAuthority =>
  createCertificateAuthority(dependencies, { commonName: 'front-proxy-ca' });
const issueFrontProxyClient = (authority: CertificateAuthority): KeyPairPem =>
  authority.issueClient({ name: frontProxyName });

/**
 * The same, each key and certificate made when it is first asked for: most clusters in memory never
 * open a port.
 */
export function createLazyPki(dependencies: PkiDependencies, names: ServingNames): Pki {
  let authority: CertificateAuthority | undefined;
  let serving: KeyPairPem | undefined;
  let admin: KeyPairPem | undefined;
  let serviceAccountKey: SigningKey | undefined;
  let frontProxy: FrontProxyIdentity | undefined;
  let kubeletClient: KeyPairPem | undefined;
  return {
    get authority() {
      return (authority ??= createCertificateAuthority(dependencies, { commonName: 'keelson-ca' }));
    },
    get serving() {
      return (serving ??= issueServing(this.authority, names));
    },
    get admin() {
      return (admin ??= issueAdmin(this.authority));
    },
    get serviceAccountKey() {
      return (serviceAccountKey ??= createSigningKey());
    },
    get frontProxy() {
      return (frontProxy ??= createFrontProxy(dependencies));
    },
    get kubeletClient() {
      return (kubeletClient ??= issueKubeletClient(this.authority));
    },
  };
}

/**
 * Reads what is there and makes what is missing. Throws with the file's name when one cannot be
 * used.
 */
export function openPki(dir: string, dependencies: PkiDependencies, names: ServingNames): Pki {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const authority = loadOrCreateAuthority(dir, dependencies, {
    file: 'ca',
    create: () => createCertificateAuthority(dependencies, { commonName: 'keelson-ca' }),
  });
  const serving = loadPair(dir, 'apiserver');
  const admin = loadPair(dir, 'admin');
  const current =
    serving !== undefined && covers(serving, names, dependencies.clock)
      ? serving
      : savePair(dir, 'apiserver', issueServing(authority, names));
  const saFile = join(dir, 'sa.key');
  const serviceAccountKey = existsSync(saFile)
    ? reading(saFile, () => parseSigningKey(readFileSync(saFile, 'utf8')))
    : createSigningKey();
  if (!existsSync(saFile)) writePrivate(saFile, formatSigningKey(serviceAccountKey));
  return {
    authority,
    serving: current,
    admin: admin ?? savePair(dir, 'admin', issueAdmin(authority)),
    serviceAccountKey,
    frontProxy: openFrontProxy(dir, dependencies),
    kubeletClient: openClient(dir, kubeletClientName, dependencies.clock, () =>
      issueKubeletClient(authority),
    ),
  };
}

function openFrontProxy(dir: string, dependencies: PkiDependencies): FrontProxyIdentity {
  const authority = loadOrCreateAuthority(dir, dependencies, {
    file: 'front-proxy-ca',
    create: () => createFrontProxyAuthority(dependencies),
  });
  const client = openClient(dir, frontProxyName, dependencies.clock, () =>
    issueFrontProxyClient(authority),
  );
  return { authorityPem: authority.certificatePem, client };
}

/** The pair that is kept, or a new one when that expires soon. */
function openClient(dir: string, name: string, clock: Clock, issue: () => KeyPairPem): KeyPairPem {
  const kept = loadPair(dir, name);
  const isGood = kept !== undefined && covers(kept, { dnsNames: [], ipAddresses: [] }, clock);
  return isGood ? kept : savePair(dir, name, issue());
}

function loadOrCreateAuthority(
  dir: string,
  dependencies: PkiDependencies,
  { file, create }: { readonly file: string; readonly create: () => CertificateAuthority },
): CertificateAuthority {
  const files = loadPair(dir, file);
  if (files !== undefined)
    return reading(join(dir, `${file}.crt`), () => loadCertificateAuthority(dependencies, files));
  const authority = create();
  savePair(dir, file, authority);
  return authority;
}

function issueServing(authority: CertificateAuthority, names: ServingNames): KeyPairPem {
  return authority.issueServing({
    commonName: 'kube-apiserver',
    dnsNames: names.dnsNames,
    ipAddresses: names.ipAddresses,
  });
}
function issueAdmin(authority: CertificateAuthority): KeyPairPem {
  return authority.issueClient({ name: adminName, groups: ['system:masters'] });
}

/** By this name kubelets know the API server. */
const kubeletClientCommonName = 'kube-apiserver-kubelet-client';
const kubeletClientName = 'apiserver-kubelet-client';
function issueKubeletClient(authority: CertificateAuthority): KeyPairPem {
  return authority.issueClient({
    name: kubeletClientCommonName,
    groups: ['system:masters'],
  });
}

function covers(pair: KeyPairPem, names: ServingNames, clock: Clock): boolean {
  const block = readPem(pair.certificatePem)[0];
  if (block === undefined) return false;
  const { x509 } = parseCertificate(block.bytes);
  if (Date.parse(x509.validTo) - clock.now() < renewBeforeMs) return false;
  return (
    names.dnsNames.every((n) => x509.checkHost(n) !== undefined) &&
    names.ipAddresses.every((ip) => x509.checkIP(ip) !== undefined)
  );
}

function loadPair(dir: string, name: string): KeyPairPem | undefined {
  const certificate = join(dir, `${name}.crt`);
  const key = join(dir, `${name}.key`);
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return {
    certificatePem: readFileSync(certificate, 'utf8'),
    privateKeyPem: readFileSync(key, 'utf8'),
  };
}
function savePair(dir: string, name: string, pair: KeyPairPem): KeyPairPem {
  writePrivate(join(dir, `${name}.key`), pair.privateKeyPem);
  writePrivate(join(dir, `${name}.crt`), pair.certificatePem);
  return pair;
}

/** Readable by its owner only, and never half written. */
export function writePrivate(file: string, text: string): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(
      `${file} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
