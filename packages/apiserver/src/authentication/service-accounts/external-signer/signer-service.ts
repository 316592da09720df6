// The gRPC service of an external signer (KEP-740, k8s.io/externaljwt/apis), as a descriptor:
//
//   Sign       base64url of the claims → header and signature, base64url each
//   FetchKeys  → public keys, the time of their data, seconds until they are asked for again
//   Metadata   → how long a token may live at most
//
// Releases 1.32 and 1.33 speak the package `v1alpha1`, later ones `v1`; the messages are the same.
// Both sides use it: the server here, and the signer of examples/external-signer.

import {
  createFileRegistry,
  fromJson,
  type DescMethodUnary,
  type DescService,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, file_google_protobuf_timestamp } from '@bufbuild/protobuf/wkt';

export type SignerVersion = 'v1' | 'v1alpha1';

/** Of the service in one version. */
export interface SignerService {
  readonly service: DescService;
  readonly sign: DescMethodUnary;
  readonly fetchKeys: DescMethodUnary;
  readonly metadata: DescMethodUnary;
}

const timestampFile = 'google/protobuf/timestamp.proto';

export function signerService(version: SignerVersion): SignerService {
  const local = (message: string) => `.${version}.${message}`;
  const file = fromJson(FileDescriptorProtoSchema, {
    name: `externaljwt/${version}/api.proto`,
    package: version,
    syntax: 'proto3',
    dependency: [timestampFile],
    messageType: [
      { name: 'SignJWTRequest', field: [text('claims', 1)] },
      { name: 'SignJWTResponse', field: [text('header', 1), text('signature', 2)] },
      { name: 'FetchKeysRequest' },
      {
        name: 'FetchKeysResponse',
        field: [
          field('keys', 1, { label: 'LABEL_REPEATED', ...message(local('Key')) }),
          field('data_timestamp', 2, message('.google.protobuf.Timestamp')),
          field('refresh_hint_seconds', 3, { type: 'TYPE_INT64' }),
        ],
      },
      {
        name: 'Key',
        field: [
          text('key_id', 1),
          field('key', 2, { type: 'TYPE_BYTES' }),
          field('exclude_from_oidc_discovery', 3, { type: 'TYPE_BOOL' }),
        ],
      },
      { name: 'MetadataRequest' },
      {
        name: 'MetadataResponse',
        field: [field('max_token_expiration_seconds', 1, { type: 'TYPE_INT64' })],
      },
    ],
    service: [
      {
        name: 'ExternalJWTSigner',
        method: [
          method('Sign', local('SignJWTRequest'), local('SignJWTResponse')),
          method('FetchKeys', local('FetchKeysRequest'), local('FetchKeysResponse')),
          method('Metadata', local('MetadataRequest'), local('MetadataResponse')),
        ],
      },
    ],
  });
  const registry = createFileRegistry(file, (name) =>
    name === timestampFile ? file_google_protobuf_timestamp : undefined,
  );
  const service = registry.getService(`${version}.ExternalJWTSigner`);
  if (service === undefined) throw new Error('the descriptor of the signer has no service');
  return {
    service,
    sign: unary(service, 'sign'),
    fetchKeys: unary(service, 'fetchKeys'),
    metadata: unary(service, 'metadata'),
  };
}

function unary(service: DescService, name: string): DescMethodUnary {
  const found = service.method[name];
  if (found?.methodKind !== 'unary') throw new Error(`the signer has no method ${name}`);
  return found as DescMethodUnary;
}

type Field = Readonly<Record<string, string | number>>;

function field(name: string, number: number, rest: Field): Field {
  return { name, number, label: 'LABEL_OPTIONAL', ...rest };
}
const text = (name: string, number: number) => field(name, number, { type: 'TYPE_STRING' });
const message = (typeName: string): Field => ({ type: 'TYPE_MESSAGE', typeName });
const method = (name: string, inputType: string, outputType: string) => ({
  name,
  inputType,
  outputType,
});
