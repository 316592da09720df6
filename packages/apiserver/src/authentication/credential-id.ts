// Which credential a user came with, for the audit log: `X509SHA256=…` of a certificate, `JTI=…` of
// a token. Authenticators add it to the user's extra values.

export const credentialIdKey = 'authentication.kubernetes.io/credential-id';
