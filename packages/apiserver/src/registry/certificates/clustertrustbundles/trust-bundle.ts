// What a trust bundle may hold: PEM blocks with certificates of authorities, none twice, at least
// one. The bundle itself is never shown in an error.

import { fieldError } from '@keelson/apimachinery';
import {
  parseCertificate,
  type Certificate,
} from '../../../authentication/certificates/parse-certificate.ts';
import { readPem } from '../../../authentication/certificates/pem.ts';
import type { Errors } from '../../validation/checks.ts';
import { isLongerThan } from '../../validation/names.ts';

const bundleBytesMax = 1024 * 1024;
const shown = '<value omitted>';

export function validateTrustBundle(errors: Errors, path: string, bundle: string): void {
  if (isLongerThan(bundle, bundleBytesMax)) {
    errors.push(fieldError.tooLong(path, bundleBytesMax));
    return;
  }
  const entries = readPem(bundle);
  const problems = entries.flatMap((block, i) => {
    const problem = problemOf(block.label, block.bytes);
    return problem === undefined ? [] : [`entry ${i} ${problem}`];
  });
  if (hasHeaders.test(bundle)) problems.unshift(`entry ${entries.length} has PEM block headers`);
  for (const why of problems) errors.push(fieldError.invalid(path, shown, why));
  if (problems.length > 0) return;
  if (entries.length === 0) {
    errors.push(fieldError.invalid(path, shown, 'at least one trust anchor must be provided'));
  }
  const places = new Map<string, number[]>();
  for (const [i, { bytes }] of entries.entries()) {
    const key = Buffer.from(bytes).toString('base64');
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  for (const same of places.values()) {
    if (same.length < 2) continue;
    const why = `duplicate trust anchor (indices [${same.join(' ')}])`;
    errors.push(fieldError.invalid(path, shown, why));
  }
}

const hasHeaders = /-----BEGIN [A-Z0-9 ]+-----\r?\n[A-Za-z-]+: [^\n]*\n/;

function problemOf(label: string, bytes: Uint8Array): string | undefined {
  if (label !== 'CERTIFICATE') return `has bad block type: ${label}`;
  let certificate: Certificate;
  try {
    certificate = parseCertificate(bytes);
  } catch {
    // Which part of it is unreadable is nobody's business here; the sentence is Kubernetes'.
    return 'does not parse as X.509';
  }
  return certificate.basicConstraints?.ca === true ? undefined : 'does not have the CA bit set';
}
