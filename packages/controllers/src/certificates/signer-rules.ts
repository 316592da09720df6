// What each signer of Kubernetes itself is willing to sign
// (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers):
//
//   kube-apiserver-client          any names; `client auth`, and of other usages only
//                                  `digital signature` and `key encipherment`
//   kube-apiserver-client-kubelet  a node's user: O is `system:nodes` and nothing else, CN begins
//                                  with `system:node:`, no alternative names; exactly `client auth`,
//                                  `digital signature` and, if wanted, `key encipherment`
//   kubelet-serving                the same subject with DNS names or addresses and no others;
//                                  `server auth` in place of `client auth`
//   legacy-unknown                 anything
//
// COMPAT: a failed request shows the texts.

import type { RequestedNames } from './certificate-issuer.ts';

export const clientSigner = 'kubernetes.io/kube-apiserver-client';
export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
export const kubeletServingSigner = 'kubernetes.io/kubelet-serving';
export const legacySigner = 'kubernetes.io/legacy-unknown';

type Rule = (names: RequestedNames, usages: readonly string[]) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [clientSigner, (_names, usages) => clientUsageProblem(usages)],
  [kubeletClientSigner, kubeletClientProblem],
  [kubeletServingSigner, kubeletServingProblem],
  [legacySigner, () => undefined],
]);

/** Whether the cluster's own authority signs for this signer. */
export function isOwnSigner(signerName: string): boolean {
  return rules.has(signerName);
}

/** Why the signer refuses; undefined when it signs. Throws for a signer that is not ours. */
export function signerProblem(
  signerName: string,
  names: RequestedNames,
  usages: readonly string[],
): string | undefined {
  const rule = rules.get(signerName);
  if (rule === undefined) throw new Error(`${signerName} is not one of Kubernetes' signers`);
  return rule(names, usages);
}

/** Why this is not a certificate with which a kubelet may call the API server. */
export function kubeletClientProblem(
  names: RequestedNames,
  usages: readonly string[],
): string | undefined {
  if (!isNodes(names)) return notNodes;
  if (names.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (names.emailAddresses.length > 0) return notEmail;
  if (names.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (names.uris.length > 0) return notUri;
  if (!names.commonName.startsWith(nodePrefix)) return notNode;
  return usageProblem(usages, 'client auth');
}

function kubeletServingProblem(
  names: RequestedNames,
  usages: readonly string[],
): string | undefined {
  if (!isNodes(names)) return notNodes;
  if (names.dnsNames.length + names.ipAddresses.length === 0)
    return 'DNS or IP subjectAltName is required';
  if (names.emailAddresses.length > 0) return notEmail;
  if (names.uris.length > 0) return notUri;
  const problem = usageProblem(usages, 'server auth');
  if (problem !== undefined) return problem;
  return names.commonName.startsWith(nodePrefix) ? undefined : notNode;
}

const nodePrefix = 'system:node:';
const notNodes = 'subject organization is not system:nodes';
const notNode = 'subject common name does not begin with system:node:';
const notEmail = 'Email subjectAltNames are not allowed';
const notUri = 'URI subjectAltNames are not allowed';

function isNodes({ organizations }: RequestedNames): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes';
}

/** Keys that are not RSA encipher no other keys, so that usage may be missing. */
function usageProblem(usages: readonly string[], required: string): string | undefined {
  const all = ['digital signature', 'key encipherment', required].toSorted();
  const given = new Set(usages);
  const expected = given.has('key encipherment')
    ? all
    : all.filter((u) => u !== 'key encipherment');
  const isSame = given.size === expected.length && expected.every((usage) => given.has(usage));
  return isSame ? undefined : `usages did not match [${all.join(' ')}]`;
}

function clientUsageProblem(usages: readonly string[]): string | undefined {
  const optional = ['digital signature', 'key encipherment'];
  const other = usages.find((usage) => usage !== 'client auth' && !optional.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes('client auth')
    ? undefined
    : 'missing required usage for client certificate: client auth';
}
