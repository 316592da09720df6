// The flags of `keelson up` about whose credentials are taken; what they mean is in
// authentication-flags.ts.

import { Option, type Command } from 'commander';
import { parseBoolean, parseDuration } from './flag-values.ts';

export function addAuthenticationFlags(command: Command): void {
  const text = (flag: string, description: string) =>
    command.addOption(new Option(`--${flag}`, description));
  const list = (flag: string, description: string) =>
    command.addOption(new Option(`--${flag}`, description).argParser(addToList));
  const on = (flag: string, description: string) =>
    command.addOption(
      new Option(`--${flag} [on]`, description).argParser(parseBoolean).preset('true'),
    );
  on('anonymous-auth', 'whether requests without credentials may be anonymous (default: true)');
  text(
    'authentication-config <file>',
    'AuthenticationConfiguration: identity providers, and paths that may be asked for anonymously',
  );
  text(
    'authentication-token-webhook-config-file <file>',
    'kubeconfig of a server that is asked about tokens',
  );
  text(
    'authentication-token-webhook-version <version>',
    'version of the TokenReview that it is asked with, v1 or v1beta1 (default: v1beta1)',
  );
  command.addOption(
    new Option(
      '--authentication-token-webhook-cache-ttl <duration>',
      'how long its answers count (default: 2m0s)',
    ).argParser(parseDuration),
  );
  text('client-ca-file <file>', 'further authorities of client certificates');
  on('enable-bootstrap-token-auth', 'takes tokens of bootstrap token Secrets in kube-system');
  text('oidc-issuer-url <url>', 'identity provider whose tokens are taken');
  text('oidc-client-id <id>', 'audience that its tokens must have');
  text('oidc-ca-file <file>', 'authorities of the identity provider');
  text('oidc-username-claim <claim>', 'claim that is the user name (default: sub)');
  text(
    'oidc-username-prefix <prefix>',
    'stands before user names; - for none (default: the issuer and #, except for email)',
  );
  text('oidc-groups-claim <claim>', 'claim that holds the groups');
  text('oidc-groups-prefix <prefix>', 'stands before groups');
  command.addOption(
    new Option('--oidc-required-claim <claim=value>', 'claim that tokens must have').argParser(
      addWhole,
    ),
  );
  list('oidc-signing-algs <names>', 'algorithms of its tokens (default: RS256)');
  text('requestheader-client-ca-file <file>', 'authorities of the authenticating proxy');
  list('requestheader-allowed-names <names>', 'common names of the authenticating proxy');
  list('requestheader-username-headers <names>', 'headers with the user name');
  list('requestheader-uid-headers <names>', 'headers with the uid');
  list('requestheader-group-headers <names>', 'headers with groups');
  list('requestheader-extra-headers-prefix <prefixes>', 'prefixes of headers with extra values');
  text('token-auth-file <file>', 'static bearer tokens: CSV of token,user,uid,"group1,group2"');
}

function addWhole(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function addToList(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',')];
}
