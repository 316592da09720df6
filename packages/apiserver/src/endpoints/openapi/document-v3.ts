// One OpenAPI document of version 3: the paths and schemas of a group version.

import { encodeJsonText } from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { documentPaths, endpointsOf, plainDocuments } from './document-paths.ts';
import { membersText, allPartsOf, type Member, type PartsMaker } from './endpoint-parts.ts';
import {
  answerSchema,
  answerText,
  bodyOf,
  bodyTypes,
  gvkOf,
  plainOperation,
  tagName,
} from './operation-parts.ts';
import type { Operation, PathOperations } from './operations.ts';
import { pathParameter, queryParameter, type Parameter } from './parameters.ts';
import type { SchemaCollector } from './schemas.ts';

/** Undefined when there is no such document. */
export async function buildV3(
  path: string,
  index: ResourceIndex,
  { parts, info }: { readonly parts: PartsMaker; readonly info: object },
): Promise<Uint8Array | undefined> {
  if (!documentPaths(index).includes(path)) return undefined;
  const endpoints = endpointsOf(path, index);
  const made = await allPartsOf(parts, endpoints);
  const paths = [plainPath(path, endpoints.length > 0), ...made.paths];
  const shared = [...made.shared].map((name): Member => [name, parts.sharedSchema(name)]);
  const schemas = [...made.schemas, ...shared];
  return Buffer.from(
    `{"openapi":"3.0.0","info":${encodeJsonText(info)},"paths":{${membersText(paths)}},` +
      `"components":{"schemas":{${membersText(schemas)}},` +
      `"securitySchemes":${encodeJsonText(securitySchemes)}}}`,
  );
}

const securitySchemes = {
  BearerToken: {
    type: 'apiKey',
    description: 'Bearer Token authentication',
    name: 'authorization',
    in: 'header',
  },
};

/** The path of the document itself: of a group, of the resources of a version, or of its own. */
function plainPath(path: string, hasResources: boolean): Member {
  const plain = plainDocuments[path];
  if (plain !== undefined) return [plain[0], encodeJsonText({ get: plainOperation(plain[1]) })];
  const id = `get${tagOf(path).id}${hasResources ? 'APIResources' : 'APIGroup'}`;
  return [`/${path}/`, encodeJsonText({ get: plainOperation(id) })];
}

function tagOf(path: string): { id: string } {
  const words = path.split('/').slice(1);
  const group = path.startsWith('api/')
    ? 'Core'
    : (words[0] ?? '')
        .replace(/\.k8s\.io$/, '')
        .split('.')
        .map(capitalize)
        .join('');
  const version = path.startsWith('api/') ? (words[0] ?? '') : (words[1] ?? '');
  return { id: group + capitalize(version) };
}
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function pathItemV3(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): object {
  const kind = path.subresource?.gvk.kind ?? endpoint.definition.kind;
  const parameters = path.pathParameters.map((name) => parameterV3(pathParameter(name, kind)));
  const operations = path.operations.map(
    (o) => [o.method, operationV3(endpoint, path, o, collector)] as const,
  );
  return { ...Object.fromEntries(operations), ...(parameters.length > 0 ? { parameters } : {}) };
}

function parameterV3(p: Parameter) {
  return {
    name: p.name,
    in: p.in,
    ...(p.description ? { description: p.description } : {}),
    ...(p.required ? { required: true } : {}),
    schema: { type: p.type, uniqueItems: true },
  };
}

function operationV3(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
): object {
  const answer = answerSchema(endpoint, path, operation, collector);
  const content = Object.fromEntries(
    (operation.answer === 'text' ? ['*/*'] : bodyTypes).map((type) => [type, { schema: answer }]),
  );
  const responses = Object.fromEntries(
    operation.codes.map((code) => [
      code,
      code === '401' ? { description: 'Unauthorized' } : { description: answerText(code), content },
    ]),
  );
  const body = bodyOf(endpoint, path, operation, collector);
  return {
    tags: [tagName(endpoint)],
    operationId: operation.id,
    parameters: operation.parameters.map((name) => parameterV3(queryParameter(name))),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries(body.types.map((type) => [type, { schema: body.schema }])),
            ...(body.required ? { required: true } : {}),
          },
        }),
    responses,
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': gvkOf(endpoint, path),
  };
}
