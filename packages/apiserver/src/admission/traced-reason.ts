// What a decision trace says of a refusal by admission: what the caller is told.
// SECURITY: nothing where objects hold secrets, for messages may quote anything of them.

import type { AdmissionAttributes } from './admission.ts';

const confidential: ReadonlySet<string> = new Set([
  '/secrets',
  '/serviceaccounts/token',
  'authentication.k8s.io/tokenreviews',
]);

export function tracedReason(
  { gvr, subresource }: Pick<AdmissionAttributes, 'gvr' | 'subresource'>,
  error: unknown,
): string {
  const resource = subresource === '' ? gvr.resource : `${gvr.resource}/${subresource}`;
  if (confidential.has(`${gvr.group}/${resource}`)) return 'refused; only the caller is told why';
  return error instanceof Error ? error.message : String(error);
}
