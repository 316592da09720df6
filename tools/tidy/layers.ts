// Who may import whom, as data. `layers.test.ts` compares it with every import, with each
// package.json and with the tables printed in ARCHITECTURE.md.
//
// Read a row as: what is in `name` may import what is in `imports`, and nothing else of ours.

export interface PackageLayer {
  readonly name: string;
  readonly imports: readonly string[];
  /** From npm. Each has its line in docs/dependencies.md. */
  readonly external: readonly string[];
}

/** From the vocabulary upwards; a package imports only packages above it in this list. */
export const packages: readonly PackageLayer[] = [
  { name: 'apimachinery', imports: [], external: ['js-yaml'] },
  { name: 'cel', imports: [], external: ['re2js'] },
  { name: 'pod-security', imports: [], external: [] },
  { name: 'client', imports: ['apimachinery'], external: [] },
  {
    name: 'apiserver',
    imports: ['apimachinery', 'cel', 'pod-security'],
    external: [
      '@bufbuild/protobuf',
      '@connectrpc/connect',
      '@connectrpc/connect-node',
      'jose',
      're2js',
      'ws',
    ],
  },
  { name: 'controllers', imports: ['apimachinery', 'cel', 'client'], external: [] },
  { name: 'node-agent', imports: ['apimachinery', 'client', 'controllers'], external: ['ws'] },
  { name: 'advisor', imports: ['apimachinery', 'pod-security'], external: [] },
  {
    name: 'keelson',
    imports: ['advisor', 'apimachinery', 'apiserver', 'client', 'controllers', 'node-agent'],
    external: ['commander', 'js-yaml', 'pino'],
  },
];

/** Imports of a package's inside that are meant for others. */
export const publicSubpaths: readonly RegExp[] = [
  /^@keelson\/apimachinery\/types\/[\w.]+$/,
  /^@keelson\/apimachinery\/streaming$/,
  /^@keelson\/cel\/kubernetes$/,
];

/** Packages that tests, tools and conformance suites may use besides. */
export const developmentPackages: readonly string[] = [
  '@bufbuild/cel',
  '@bufbuild/cel-spec',
  '@kubernetes/client-node',
  '@marcbachmann/cel-js',
  'cel-js',
  'esbuild',
  'fast-check',
];

export interface Folder {
  readonly name: string;
  /** Files and folders of `packages/apiserver/src` that belong to it. */
  readonly holds: readonly string[];
  readonly imports: readonly string[];
}

/**
 * Inside the API server: requests go down the list, and so do imports. From `authentication` on
 * they are leaves: what a leaf must look up it declares as an interface of its own, and the
 * composition root hands it in.
 */
export const apiserverFolders: readonly Folder[] = [
  {
    name: 'composition',
    holds: ['create-api-server.ts', 'index.ts', 'testing.ts', 'security.test.ts'],
    imports: ['*'],
  },
  {
    name: 'serve',
    holds: ['serve.ts'],
    imports: ['filters', 'transport', 'authentication', 'vocabulary'],
  },
  {
    name: 'filters',
    holds: ['filters'],
    imports: [
      'endpoints',
      'registry',
      'audit',
      'authorization',
      'authentication',
      'features',
      'vocabulary',
    ],
  },
  {
    name: 'aggregation',
    holds: ['aggregation'],
    imports: [
      'endpoints',
      'registry',
      'storage',
      'transport',
      'authentication',
      'features',
      'vocabulary',
    ],
  },
  {
    name: 'endpoints',
    holds: ['endpoints'],
    imports: ['admission', 'registry', 'storage', 'transport', 'features', 'vocabulary'],
  },
  {
    name: 'admission',
    holds: ['admission'],
    imports: [
      'registry',
      'storage',
      'transport',
      'authorization',
      'authentication',
      'features',
      'vocabulary',
    ],
  },
  {
    name: 'registry',
    holds: ['registry', 'object-sources.ts'],
    imports: ['storage', 'transport', 'authorization', 'authentication', 'features', 'vocabulary'],
  },
  { name: 'storage', holds: ['storage'], imports: ['vocabulary'] },
  {
    name: 'transport',
    holds: ['transport'],
    imports: ['authentication', 'vocabulary'],
  },
  {
    name: 'audit',
    holds: ['audit'],
    imports: ['authorization', 'authentication', 'features', 'vocabulary'],
  },
  {
    name: 'authorization',
    holds: ['authorization'],
    imports: ['authentication', 'features', 'vocabulary'],
  },
  { name: 'authentication', holds: ['authentication'], imports: ['features', 'vocabulary'] },
  { name: 'features', holds: ['features'], imports: [] },
  {
    name: 'vocabulary',
    holds: [
      'config.ts',
      'http.ts',
      'logger.ts',
      'metrics.ts',
      'object-source.ts',
      'request-context.ts',
      'request-pipeline.ts',
      'warnings.ts',
    ],
    imports: ['authentication'],
  },
];

export interface LayerException {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** Imports against the direction, each with its reason. One that is not needed fails the test. */
export const layerExceptions: readonly LayerException[] = [
  {
    from: 'registry/store-delete.ts',
    to: 'endpoints/query-options.ts',
    why: 'the type of the decoded delete options; the store reads them as they were sent',
  },
  {
    from: 'registry/subresource-handlers/eviction.ts',
    to: 'endpoints/query-options.ts',
    why: 'an eviction carries delete options in its body and decodes them as DELETE does',
  },
  {
    from: 'registry/subresource-handlers/log-answer.ts',
    to: 'endpoints/respond.ts',
    why: 'a log is written to the wire as it comes; its refusals are Status objects',
  },
];

/**
 * `package: dependency` pairs in which package.json and the imports differ, each with its reason.
 */
export const manifestExceptions: Readonly<Record<string, string>> = {};
