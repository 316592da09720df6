// The flags of kube-apiserver 1.36: those that mean the same here, those that are taken and change
// nothing, and those that are refused, because leaving them without effect would make the cluster
// less safe than its operator believes.

import type { FlagDefinition, FlagType } from '../go-flags.ts';

type Row = readonly [name: string, type: FlagType, fallback: string | undefined, usage: string];

const honoured: readonly Row[] = [
  ['admission-control-config-file', 'string', undefined, 'configuration of admission plugins'],
  ['advertise-address', 'string', undefined, 'address under which clients reach the server'],
  ['anonymous-auth', 'bool', 'true', 'lets requests without credentials be anonymous'],
  ['api-audiences', 'strings', undefined, 'audiences that tokens must be meant for'],
  ['authentication-config', 'string', undefined, 'identity providers and anonymous requests'],
  ['authentication-token-webhook-cache-ttl', 'duration', '2m0s', 'how long its answers count'],
  ['authentication-token-webhook-config-file', 'string', undefined, 'who is asked about tokens'],
  ['authentication-token-webhook-version', 'string', 'v1beta1', 'version of its TokenReview'],
  ['authorization-config', 'string', undefined, 'file that says which authorizers are asked'],
  [
    'authorization-mode',
    'strings',
    undefined,
    'AlwaysAllow, AlwaysDeny, ABAC, Webhook, RBAC, Node; in this order',
  ],
  ['authorization-policy-file', 'string', undefined, 'policy of the mode ABAC'],
  [
    'authorization-webhook-cache-authorized-ttl',
    'duration',
    '5m0s',
    'how long the webhook’s permissions are kept',
  ],
  [
    'authorization-webhook-cache-unauthorized-ttl',
    'duration',
    '30s',
    'how long its refusals are kept',
  ],
  ['authorization-webhook-config-file', 'string', undefined, 'kubeconfig of the mode Webhook'],
  ['authorization-webhook-version', 'string', 'v1beta1', 'v1 or v1beta1 of SubjectAccessReview'],
  ['bind-address', 'string', '0.0.0.0', 'address to listen on'],
  ['cert-dir', 'string', '/var/run/kubernetes', 'where apiserver.crt and apiserver.key are'],
  ['client-ca-file', 'string', undefined, 'authorities of client certificates'],
  ['disable-admission-plugins', 'strings', undefined, 'default plugins to leave out'],
  ['disable-http2-serving', 'bool', 'false', 'serves HTTP/1.1 only'],
  ['emulated-version', 'strings', undefined, 'the release to behave like: 1.33 or kube=1.33'],
  ['enable-aggregator-routing', 'bool', undefined, 'reaches extension servers at their endpoints'],
  ['enable-admission-plugins', 'strings', undefined, 'plugins besides the default ones'],
  ['enable-bootstrap-token-auth', 'bool', 'false', 'takes tokens of Secrets in kube-system'],
  ['enable-priority-and-fairness', 'bool', 'true', 'shares out the server by flow schema'],
  ['etcd-servers', 'strings', undefined, 'where Keelson’s etcd listens'],
  ['feature-gates', 'mapStringString', undefined, 'Gate=true,Other=false'],
  ['kubelet-client-certificate', 'string', undefined, 'certificate for kubelets'],
  ['kubelet-client-key', 'string', undefined, 'its key'],
  ['max-mutating-requests-inflight', 'int', '200', 'concurrent requests that write'],
  ['max-requests-inflight', 'int', '400', 'concurrent requests that read'],
  ['min-request-timeout', 'int', '1800', 'seconds that a watch lasts at least'],
  ['oidc-ca-file', 'string', undefined, 'authorities of the identity provider'],
  ['oidc-client-id', 'string', undefined, 'audience of its tokens'],
  ['oidc-groups-claim', 'string', undefined, 'claim that holds groups'],
  ['oidc-groups-prefix', 'string', undefined, 'stands before each of them'],
  ['oidc-issuer-url', 'string', undefined, 'the identity provider'],
  ['oidc-required-claim', 'stringArray', undefined, 'claim=value that tokens must have'],
  ['oidc-signing-algs', 'strings', 'RS256', 'algorithms of its tokens'],
  ['oidc-username-claim', 'string', 'sub', 'claim that holds the user name'],
  ['oidc-username-prefix', 'string', undefined, 'stands before it; - for none'],
  ['proxy-client-cert-file', 'string', undefined, 'certificate for extension servers'],
  ['proxy-client-key-file', 'string', undefined, 'its key'],
  ['request-timeout', 'duration', '1m0s', 'time that a request may take'],
  ['requestheader-allowed-names', 'strings', undefined, 'common names of the front proxy'],
  ['requestheader-client-ca-file', 'string', undefined, 'authorities of the front proxy'],
  ['requestheader-extra-headers-prefix', 'strings', undefined, 'prefixes of extra fields'],
  ['requestheader-group-headers', 'strings', undefined, 'header fields with groups'],
  ['requestheader-uid-headers', 'strings', undefined, 'header fields with the UID'],
  ['requestheader-username-headers', 'strings', undefined, 'header fields with the user name'],
  ['runtime-config', 'mapStringString', undefined, 'which API versions are served'],
  ['secure-port', 'int', '6443', 'HTTPS port'],
  [
    'service-account-extend-token-expiration',
    'bool',
    'true',
    'tokens in pods live for a year, and are noted when they are used late',
  ],
  ['service-account-issuer', 'stringArray', undefined, 'issuer of tokens; further ones are taken'],
  ['service-account-jwks-uri', 'string', undefined, 'where others find the keys of tokens'],
  ['service-account-key-file', 'stringArray', undefined, 'keys that verify tokens'],
  ['service-account-max-token-expiration', 'duration', '0s', 'how long tokens live at most'],
  ['service-account-signing-endpoint', 'string', undefined, 'Unix socket of an external signer'],
  ['service-account-signing-key-file', 'string', undefined, 'the key that signs tokens'],
  ['service-cluster-ip-range', 'string', '10.0.0.0/24', 'addresses of Services'],
  ['tls-cert-file', 'string', undefined, 'serving certificate'],
  ['tls-private-key-file', 'string', undefined, 'its key'],
  ['token-auth-file', 'string', undefined, 'static tokens: CSV of token,user,uid,"groups"'],
];

/** Known to Kubernetes, without effect here. By type, so that their values are still checked. */
const inert: Readonly<Partial<Record<FlagType, string>>> = {
  bool: `aggregator-reject-forwarding-redirects allow-privileged audit-log-batch-throttle-enable
    audit-log-compress audit-log-truncate-enabled audit-webhook-batch-throttle-enable
    audit-webhook-truncate-enabled contention-profiling emulation-forward-compatible
    enable-garbage-collector enable-logs-handler
    encryption-provider-config-automatic-reload permit-address-sharing permit-port-sharing
    profiling runtime-config-emulation-forward-compatible service-account-lookup shutdown-send-retry-after watch-cache log-json-split-stream
    log-text-split-stream`,
  int: `apiserver-count audit-log-batch-buffer-size audit-log-batch-max-size
    audit-log-batch-throttle-burst audit-log-maxage audit-log-maxbackup audit-log-maxsize
    audit-log-truncate-max-batch-size audit-log-truncate-max-event-size
    audit-webhook-batch-buffer-size audit-webhook-batch-max-size
    audit-webhook-batch-throttle-burst audit-webhook-truncate-max-batch-size
    audit-webhook-truncate-max-event-size delete-collection-workers
    http2-max-streams-per-connection kubelet-port kubelet-read-only-port
    kubernetes-service-node-port lease-reuse-duration-seconds max-connection-bytes-per-sec
    max-resource-write-bytes`,
  float: 'audit-log-batch-throttle-qps audit-webhook-batch-throttle-qps goaway-chance',
  duration: `audit-log-batch-max-wait audit-webhook-batch-max-wait audit-webhook-initial-backoff
    coordinated-leadership-lease-duration
    coordinated-leadership-renew-deadline coordinated-leadership-retry-period
    etcd-compaction-interval etcd-count-metric-poll-period etcd-db-metric-poll-interval
    etcd-healthcheck-timeout etcd-readycheck-timeout event-ttl kubelet-timeout
    livez-grace-period log-flush-frequency
    shutdown-delay-duration shutdown-watch-termination-grace-period
    storage-initialization-timeout`,
  string: `allow-metric-labels-manifest audit-log-format audit-log-mode audit-log-path
    audit-log-version audit-policy-file audit-webhook-config-file audit-webhook-mode
    audit-webhook-version
    debug-socket-path egress-selector-config-file endpoint-reconciler-type etcd-cafile
    etcd-certfile etcd-keyfile etcd-prefix external-hostname kubelet-certificate-authority
    log-json-info-buffer-size
    log-text-info-buffer-size logging-format min-compatibility-version peer-advertise-ip
    peer-advertise-port peer-ca-file
    service-node-port-range show-hidden-metrics-for-version storage-backend storage-media-type
    tls-min-version tracing-config-file vmodule`,
  strings: `cors-allowed-origins disabled-metrics etcd-servers-overrides
    kubelet-preferred-address-types strict-transport-security-directives tls-cipher-suites
    tls-curve-preferences watch-cache-sizes`,
  stringArray: 'tls-sni-cert-key',
  mapStringString: 'allow-metric-labels',
};

/** SECURITY: each decides who may do what, or who can read the state; see the file's header. */
const refused: Readonly<Record<string, FlagType>> = {
  'encryption-provider-config': 'string',
};

export const inertFlags: ReadonlySet<string> = new Set(
  Object.values(inert).flatMap((names) => names.split(/\s+/)),
);
/** What is so whether the flag is given or not. With these values they need no warning. */
export const alreadySo: Readonly<Record<string, string>> = {
  'aggregator-reject-forwarding-redirects': 'true',
  'allow-privileged': 'true',
  'enable-garbage-collector': 'true',
  'service-account-lookup': 'true',
  'storage-backend': 'etcd3',
  'watch-cache': 'true',
};
export const refusedFlags: ReadonlySet<string> = new Set(Object.keys(refused));

/** All of them, by name. */
export const kubeApiserverFlags: readonly FlagDefinition[] = definitions().toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

function definitions(): FlagDefinition[] {
  return [
    ...honoured.map(([name, type, fallback, usage]): FlagDefinition => ({
      name,
      type,
      usage,
      ...(fallback === undefined ? {} : { default: fallback }),
    })),
    ...(Object.entries(inert) as [FlagType, string][]).flatMap(([type, names]) =>
      names.split(/\s+/).map((name): FlagDefinition => ({ name, type, usage: 'has no effect' })),
    ),
    ...Object.entries(refused).map(([name, type]): FlagDefinition => ({
      name,
      type,
      usage: 'is refused, as it cannot be honoured',
    })),
    { name: 'help', shorthand: 'h', type: 'bool', default: 'false', usage: 'this text' },
    { name: 'v', shorthand: 'v', type: 'int', default: '0', usage: 'how much to log, 0 to 10' },
    { name: 'version', type: 'string', usage: 'prints the version' },
  ];
}
