// The OpenAPI document of version 2 as protobuf: `openapi.v2.Document` of gnostic. kubectl up to
// 1.28 reads nothing else.
//
// Each message lists its fields in the order of their numbers, from 1 and without gaps, by the
// names they have in JSON.

import { ProtobufWriter } from '@keelson/apimachinery';
import {
  anything,
  bool,
  closedMessage,
  double,
  int64,
  mapOf,
  message,
  oneOf,
  repeated,
  text,
  wrapped,
  type Shape,
} from './protobuf-shapes.ts';

/** Throws if the document has something that the protobuf form has no place for. */
export function encodeOpenApiV2(document: object): Uint8Array {
  const writer = new ProtobufWriter();
  documentMessage.content(writer, document);
  return writer.take();
}

const texts = repeated(text);
const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

const externalDocs = message('ExternalDocs', () => ({ description: text, url: text }));

const bounds = {
  maximum: double,
  exclusiveMaximum: bool,
  minimum: double,
  exclusiveMinimum: bool,
  maxLength: int64,
  minLength: int64,
  pattern: text,
  maxItems: int64,
  minItems: int64,
  uniqueItems: bool,
};

const xml = message('Xml', () => ({
  name: text,
  namespace: text,
  prefix: text,
  attribute: bool,
  wrapped: bool,
}));
const schema: Shape = message('Schema', () => ({
  $ref: text,
  format: text,
  title: text,
  description: text,
  default: anything,
  multipleOf: double,
  ...bounds,
  maxProperties: int64,
  minProperties: int64,
  required: texts,
  enum: repeated(anything),
  additionalProperties: oneOf((value) => (typeof value === 'boolean' ? [2, bool] : [1, schema])),
  type: wrapped(text),
  items: wrapped(schema),
  allOf: repeated(schema),
  properties: schemas,
  discriminator: text,
  readOnly: bool,
  xml,
  externalDocs,
  example: anything,
}));
const schemas = mapOf(schema);
const fileSchema = message('FileSchema', () => ({
  format: text,
  title: text,
  description: text,
  default: anything,
  required: texts,
  type: text,
  readOnly: bool,
  externalDocs,
  example: anything,
}));

/** What parameters outside of bodies, headers of responses and their items have in common. */
const primitive = (): Readonly<Record<string, Shape>> => ({
  type: text,
  format: text,
  items: primitiveItems,
  collectionFormat: text,
  default: anything,
  ...bounds,
  enum: repeated(anything),
  multipleOf: double,
});
const primitiveItems: Shape = message('PrimitivesItems', primitive);
const header = message('Header', () => ({ ...primitive(), description: text }));

const parameterStart = { required: bool, in: text, description: text, name: text };
const plainParameter = (name: string): Shape =>
  message(name, () => ({ ...parameterStart, ...primitive() }));
const emptiableParameter = (name: string): Shape =>
  message(name, () => ({ ...parameterStart, allowEmptyValue: bool, ...primitive() }));
const nonBodyParameters = new Map<unknown, readonly [number, Shape]>([
  ['header', [1, plainParameter('HeaderParameterSubSchema')]],
  ['formData', [2, emptiableParameter('FormDataParameterSubSchema')]],
  ['query', [3, emptiableParameter('QueryParameterSubSchema')]],
  ['path', [4, plainParameter('PathParameterSubSchema')]],
]);
const nonBodyParameter = oneOf((value) => chosen(nonBodyParameters, member(value, 'in')));
const bodyParameter = message('BodyParameter', () => ({
  description: text,
  name: text,
  in: text,
  required: bool,
  schema,
}));
const parameter = oneOf((value) =>
  member(value, 'in') === 'body' ? [1, bodyParameter] : [2, nonBodyParameter],
);

const jsonReference = closedMessage('JsonReference', () => ({ $ref: text, description: text }));
const orReference = (shape: Shape): Shape =>
  oneOf((value) => (member(value, '$ref') === undefined ? [1, shape] : [2, jsonReference]));
const parameters = repeated(orReference(parameter));

const response = message('Response', () => ({
  description: text,
  schema: oneOf((value) => (member(value, 'type') === 'file' ? [2, fileSchema] : [1, schema])),
  headers: mapOf(header),
  examples: mapOf(anything),
}));

const securityRequirements = repeated(mapOf(wrapped(text)));
const operation = message('Operation', () => ({
  tags: texts,
  summary: text,
  description: text,
  externalDocs,
  operationId: text,
  produces: texts,
  consumes: texts,
  parameters,
  responses: mapOf(orReference(response), { entries: 1, extensions: 2 }),
  schemes: texts,
  deprecated: bool,
  security: securityRequirements,
}));
const pathItem = message('PathItem', () => ({
  $ref: text,
  get: operation,
  put: operation,
  post: operation,
  delete: operation,
  options: operation,
  head: operation,
  patch: operation,
  parameters,
}));

const oauth2Start = { type: text, flow: text, scopes: mapOf(text) };
const oauth2 = (name: string, urls: Readonly<Record<string, Shape>>): Shape =>
  message(name, () => ({ ...oauth2Start, ...urls, description: text }));
const byToken = { tokenUrl: text };
/** By type, and flow where there is one. */
const securityDefinitions = new Map<unknown, readonly [number, Shape]>([
  ['basic', [1, message('BasicAuthenticationSecurity', () => ({ type: text, description: text }))]],
  [
    'apiKey',
    [2, message('ApiKeySecurity', () => ({ type: text, name: text, in: text, description: text }))],
  ],
  ['implicit', [3, oauth2('Oauth2ImplicitSecurity', { authorizationUrl: text })]],
  ['password', [4, oauth2('Oauth2PasswordSecurity', byToken)]],
  ['application', [5, oauth2('Oauth2ApplicationSecurity', byToken)]],
  [
    'accessCode',
    [6, oauth2('Oauth2AccessCodeSecurity', { authorizationUrl: text, tokenUrl: text })],
  ],
]);
const securityDefinition = oneOf((value) => {
  const type = member(value, 'type');
  return chosen(securityDefinitions, type === 'oauth2' ? member(value, 'flow') : type);
});

const contact = message('Contact', () => ({ name: text, url: text, email: text }));
const license = message('License', () => ({ name: text, url: text }));
const documentMessage = message('Document', () => ({
  swagger: text,
  info: message('Info', () => ({
    title: text,
    version: text,
    description: text,
    termsOfService: text,
    contact,
    license,
  })),
  host: text,
  basePath: text,
  schemes: texts,
  consumes: texts,
  produces: texts,
  paths: mapOf(pathItem, { extensions: 1, entries: 2 }),
  definitions: schemas,
  parameters: mapOf(parameter),
  responses: mapOf(response),
  security: securityRequirements,
  securityDefinitions: mapOf(securityDefinition),
  tags: repeated(message('Tag', () => ({ name: text, description: text, externalDocs }))),
  externalDocs,
}));

function chosen<T>(choices: ReadonlyMap<unknown, T>, key: unknown): T {
  const found = choices.get(key);
  if (found === undefined) throw new Error(`no form for ${JSON.stringify(key)}`);
  return found;
}
