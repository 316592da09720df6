// What may stand in a PodCertificateRequest: names of pod, account and node, a lifetime, and a key
// with the proof that the asker holds it. The proof is a request that the key has signed, or, in the
// older form, a signature over the UID of the pod.

import { fieldError, omittedValue, type FieldError } from '@keelson/apimachinery';
import type { PodCertificateRequestSpec } from '@keelson/apimachinery/types/certificates.k8s.io.v1beta1';
import { decodeCertificateRequest } from '../../../authentication/certificates/certificate-request.ts';
import { readPublicKey, type PublicKey } from '../../../authentication/certificates/public-keys.ts';
import { conforms, notLongerThan, type Errors } from '../../validation/checks.ts';
import { userAnnotations } from '../../validation/labels.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { signerName } from '../../validation/signer-names.ts';

const uidBytesMax = 128;
const keyBytesMax = 10 * 1024;
const hourSeconds = 3600;
/** Certificates of Kubernetes' own signers live for a day at most, others for 91 days. */
const lifetimes = { own: 24 * hourSeconds, other: 91 * 24 * hourSeconds } as const;
const rsaBits: readonly (number | undefined)[] = [3072, 4096];
const curves: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

export const publicKeyPath = 'spec.pkixPublicKey';
export const stubPath = 'spec.stubPKCS10Request';
const proofPath = 'spec.proofOfPossession';

export function validateRequest(spec: PodCertificateRequestSpec): FieldError[] {
  const errors: Errors = [];
  signerName(errors, 'spec.signerName', spec.signerName);
  if (spec.unverifiedUserAnnotations)
    userAnnotations(errors, 'spec.unverifiedUserAnnotations', spec.unverifiedUserAnnotations);
  for (const [name, uid] of [
    ['podName', 'podUID'],
    ['serviceAccountName', 'serviceAccountUID'],
    ['nodeName', 'nodeUID'],
  ] as const) {
    conforms(errors, `spec.${name}`, spec[name], dns1123Subdomain);
    if (spec[uid] === '') errors.push(fieldError.invalid(`spec.${uid}`, '', 'must not be empty'));
    notLongerThan(errors, `spec.${uid}`, spec[uid], uidBytesMax);
  }
  lifetime(errors, spec);
  if (spec.maxExpirationSeconds === undefined) return errors;
  provenKey(errors, spec);
  return errors;
}

function lifetime(errors: Errors, spec: PodCertificateRequestSpec): void {
  const path = 'spec.maxExpirationSeconds';
  const seconds = spec.maxExpirationSeconds;
  if (seconds === undefined) {
    errors.push(fieldError.required(path, 'must be set'));
    return;
  }
  const isOwn = /^([a-z0-9.-]*\.)?kubernetes\.io\//.test(spec.signerName);
  const max = isOwn ? lifetimes.own : lifetimes.other;
  if (seconds >= hourSeconds && seconds <= max) return;
  const why = `must be in the range [${hourSeconds}, ${max}]`;
  errors.push(fieldError.invalid(path, seconds, why));
}

function provenKey(errors: Errors, spec: PodCertificateRequestSpec): void {
  const stub = bytesOf(spec.stubPKCS10Request);
  const publicKey = bytesOf(spec.pkixPublicKey);
  const proof = bytesOf(spec.proofOfPossession);
  for (const [path, bytes] of [
    [stubPath, stub],
    [publicKeyPath, publicKey],
    [proofPath, proof],
  ] as const) {
    if (bytes.length <= keyBytesMax) continue;
    errors.push(fieldError.tooLong(path, keyBytesMax));
    return;
  }
  const hasPair = publicKey.length > 0 && proof.length > 0;
  const hasNeither = publicKey.length === 0 && proof.length === 0;
  if (stub.length > 0 && hasNeither) stubRequest(errors, stub, spec.stubPKCS10Request);
  else if (stub.length === 0 && hasPair) keyAndProof(errors, spec, { publicKey, proof });
  else {
    const why =
      'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set';
    errors.push(fieldError.invalid('spec', omittedValue, why));
  }
}

function stubRequest(errors: Errors, stub: Uint8Array, shown: string | null | undefined): void {
  const key = keyOfStub(stub);
  if (key === undefined) {
    errors.push(fieldError.invalid(stubPath, shown, 'must be a valid PKCS#10 CSR'));
    return;
  }
  allowedKey(errors, stubPath, key, shown);
}

/** The key that has signed a request; undefined when it has not, or the request is none. */
export function keyOfStub(stub: Uint8Array): PublicKey | undefined {
  try {
    return readPublicKey(decodeCertificateRequest(stub).publicKey);
  } catch {
    // The sentence for the client says all there is to say: it is no valid request.
    return undefined;
  }
}

function keyAndProof(
  errors: Errors,
  spec: PodCertificateRequestSpec,
  { publicKey, proof }: { readonly publicKey: Uint8Array; readonly proof: Uint8Array },
): void {
  const key = readPublicKey(publicKey);
  if (key === undefined) {
    const why = 'must be a valid PKIX-serialized public key';
    errors.push(fieldError.invalid(publicKeyPath, spec.pkixPublicKey, why));
    return;
  }
  if (!allowedKey(errors, publicKeyPath, key, spec.pkixPublicKey)) return;
  if (key.hasSigned(Buffer.from(spec.podUID), proof)) return;
  const why = 'could not verify proof-of-possession signature';
  errors.push(fieldError.invalid(proofPath, omittedValue, why));
}

function allowedKey(errors: Errors, path: string, key: PublicKey, shown: unknown): boolean {
  const refuse = (value: unknown, why: string) => {
    errors.push(fieldError.invalid(path, value, why));
    return false;
  };
  switch (key.type) {
    case 'ed25519':
      return true;
    case 'ec':
      if (curves.includes(key.curve)) return true;
      return refuse(`curve ${key.curve ?? ''}`, 'elliptic public keys must use curve P256 or P384');
    case 'rsa':
      if (rsaBits.includes(key.modulusBits)) return true;
      return refuse(
        `${key.modulusBits ?? 0}-bit modulus`,
        'RSA keys must have modulus size 3072 or 4096',
      );
    default:
      return refuse(shown, 'unknown public key type; supported types are Ed25519, ECDSA, and RSA');
  }
}

export function bytesOf(base64: string | null | undefined): Uint8Array {
  return Buffer.from(base64 ?? '', 'base64');
}
