// One OpenAPI document of version 3: the paths and schemas of a group version.

import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { documentPaths, endpointsOf, plainDocuments } from './document-paths.ts';
import {
  answerSchema,
  answerText,
  bodyOf,
  bodyTypes,
  gvkOf,
  kindsByDefinition,
  plainOperation,
  sorted,
  tagName,
} from './operation-parts.ts';
import { pathsOf, type Operation, type PathOperations } from './operations.ts';
import { pathParameter, queryParameter, type Parameter } from './parameters.ts';
import { createSchemaCollector, type SchemaCollector } from './schemas.ts';

export function buildV3(
  path: string,
  index: ResourceIndex,
  gitVersion: string,
): object | undefined {
  if (!documentPaths(index).includes(path)) return undefined;
  const collector = createSchemaCollector(3, kindsByDefinition(index));
  const plain = plainDocuments[path];
  const paths: Record<string, unknown> = {};
  const endpoints = endpointsOf(path, index);
  if (plain !== undefined) paths[plain[0]] = { get: plainOperation(plain[1]) };
  else {
    const tag = tagOf(path);
    paths[`/${path}/`] = {
      get: plainOperation(`get${tag.id}${endpoints.length > 0 ? 'APIResources' : 'APIGroup'}`),
    };
  }
  for (const endpoint of endpoints)
    for (const p of pathsOf(endpoint.definition))
      paths[p.path] = pathItemV3(endpoint, p, collector);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: sorted(paths),
    components: {
      schemas: collector.schemas(),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
  };
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

function pathItemV3(
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
