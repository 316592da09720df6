// ClusterTrustBundles: trust anchors that workloads may mount (KEP-3257). A bundle of a signer
// carries the name of the signer; who may write such a one is decided by the admission plugin
// ClusterTrustBundleAttest.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { ClusterTrustBundle } from '@keelson/apimachinery/types/certificates.k8s.io.v1beta1';
import { noneText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { immutable, type Errors } from '../../validation/checks.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { signerName as checkSignerName } from '../../validation/signer-names.ts';
import { validateTrustBundle } from './trust-bundle.ts';

export const clusterTrustBundleStrategy: Strategy<ClusterTrustBundle> = {
  // What the name may be depends on the signer: `validate` says it.
  nameRule: () => [],
  validate: (bundle) => validateBundle(bundle, true),
  validateUpdate(bundle, old) {
    const errors = validateBundle(bundle, bundle.spec.trustBundle !== old.spec.trustBundle);
    const signers = [bundle.spec.signerName ?? '', old.spec.signerName ?? ''] as const;
    immutable(errors, 'spec.signerName', signers);
    return errors;
  },
  allowUnconditionalUpdate: false,
  tableCells: ({ metadata, spec }) => [
    metadata.name ?? '',
    spec.signerName === undefined || spec.signerName === '' ? noneText : spec.signerName,
  ],
  fieldValues: ({ spec }) => ({ 'spec.signerName': spec.signerName ?? '' }),
};

function validateBundle({ metadata, spec }: ClusterTrustBundle, withAnchors: boolean): Errors {
  const { signerName = '', trustBundle } = spec;
  const errors: FieldError[] = bundleName(metadata.name ?? '', signerName).map((why) =>
    fieldError.invalid('metadata.name', metadata.name ?? '', why),
  );
  if (signerName !== '') checkSignerName(errors, 'spec.signerName', signerName);
  if (withAnchors) validateTrustBundle(errors, 'spec.trustBundle', trustBundle);
  return errors;
}

/** `example.com:signer:any-name` for `example.com/signer`; without a signer no colon. */
function bundleName(name: string, signerName: string): string[] {
  if (signerName === '') {
    if (name.includes(':'))
      return ['ClusterTrustBundle without signer name must not have ":" in its name'];
    return nameIsDns1123Subdomain(name, false);
  }
  const prefix = `${signerName.replaceAll('/', ':')}:`;
  if (!name.startsWith(prefix))
    return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`];
  return nameIsDns1123Subdomain(name.slice(prefix.length), false);
}
