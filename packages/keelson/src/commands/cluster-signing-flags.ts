// `--cluster-signing-*` of kube-controller-manager: which authority signs for which of Kubernetes'
// own signers. Nothing said: the control plane's own authority for all of them. One pair of files:
// that authority for all. Pairs for single signers: those sign, and nobody signs for the others.
//
// COMPAT: the texts, also where two of them name a flag that is not there.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Clock, Random } from '@keelson/apimachinery';
import { loadCertificateAuthority, type CertificateAuthority } from '@keelson/apiserver';
import {
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
} from '@keelson/controllers';
import { ControllerFlagError } from './controller-flag-error.ts';

interface Dependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** As commander names them: `clusterSigningKubeletServingCertFile`. */
export type ClusterSigningFlags = Readonly<Record<string, unknown>>;

interface SignerFlags {
  readonly signer: string;
  /** Between `--cluster-signing-` and `-cert-file`. */
  readonly flag: string;
  /** What kube-controller-manager calls the pair when half of it is missing. */
  readonly nameInErrors: string;
}

const signers: readonly SignerFlags[] = [
  {
    signer: kubeletServingSigner,
    flag: 'kubelet-serving',
    nameInErrors: 'cluster-signing-kubelet-serving',
  },
  {
    signer: kubeletClientSigner,
    flag: 'kubelet-client',
    nameInErrors: 'cluster-signing-kube-apiserver-client',
  },
  {
    signer: clientSigner,
    flag: 'kube-apiserver-client',
    nameInErrors: 'cluster-signing-kube-apiserver',
  },
  {
    signer: legacySigner,
    flag: 'legacy-unknown',
    nameInErrors: 'cluster-signing-legacy-unknown',
  },
];

export function addClusterSigningFlags(command: Command): Command {
  command
    .option(
      '--cluster-signing-cert-file <file>',
      'authority that signs what CertificateSigningRequests ask for (default: the one in the data directory)',
    )
    .option('--cluster-signing-key-file <file>', 'its key');
  for (const { signer, flag } of signers)
    command
      .option(
        `--cluster-signing-${flag}-cert-file <file>`,
        `authority that signs for ${signer}; signers without one then sign nothing`,
      )
      .option(`--cluster-signing-${flag}-key-file <file>`, 'its key');
  return command;
}

/** By name of the signer; undefined when no flag was given. Throws ControllerFlagError. */
export function readClusterSigningFlags(
  flags: ClusterSigningFlags,
  dependencies: Dependencies,
): ReadonlyMap<string, CertificateAuthority> | undefined {
  const one = pairOf(flags, '');
  const pairs = signers.map((signer) => ({ ...signer, ...pairOf(flags, `-${signer.flag}`) }));
  const isOne = isGiven(one.cert) || isGiven(one.key);
  const named = pairs.filter(({ cert, key }) => isGiven(cert) || isGiven(key));
  const problems = named.flatMap(halfOfAPair);
  if (isOne && named.length > 0) problems.push(notBoth);
  if (isOne && !(isGiven(one.cert) && isGiven(one.key))) problems.push(together);
  if (problems.length > 0) throw new ControllerFlagError(problems.join(', '));
  if (isOne) {
    const authority = readAuthority(one, '', dependencies);
    return new Map(signers.map(({ signer }) => [signer, authority]));
  }
  if (named.length === 0) return undefined;
  return new Map(
    named.map(({ signer, flag, ...pair }) => [
      signer,
      readAuthority(pair, `-${flag}`, dependencies),
    ]),
  );
}

const notBoth =
  'cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time';
const together = '--cluster-signing-cert-file and --cluster-signing-key-file go together';

interface FilePair {
  readonly cert: string;
  readonly key: string;
}

function pairOf(flags: ClusterSigningFlags, infix: string): FilePair {
  const file = (half: string) => {
    const value = flags[camelCase(`cluster-signing${infix}-${half}-file`)];
    return typeof value === 'string' ? value : '';
  };
  return { cert: file('cert'), key: file('key') };
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-(.)/g, (_all, letter: string) => letter.toUpperCase());
}

const isGiven = (file: string) => file !== '';

function halfOfAPair({ nameInErrors, cert, key }: SignerFlags & FilePair): string[] {
  if (isGiven(cert) && isGiven(key)) return [];
  const missing = isGiven(cert)
    ? 'cannot specify cert without key'
    : 'cannot specify key without cert';
  return [`"${nameInErrors}": ${missing}`];
}

function readAuthority(
  { cert, key }: FilePair,
  infix: string,
  dependencies: Dependencies,
): CertificateAuthority {
  try {
    return loadCertificateAuthority(dependencies, {
      certificatePem: readFileSync(cert, 'utf8'),
      privateKeyPem: readFileSync(key, 'utf8'),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ControllerFlagError(`--cluster-signing${infix}-cert-file ${cert}: ${why}`, cause);
  }
}
