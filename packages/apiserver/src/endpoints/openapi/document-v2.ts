// The OpenAPI document of version 2: all paths and definitions in one.

import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { plainDocuments } from './document-paths.ts';
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
import { pathsOf, type PathOperations } from './operations.ts';
import { pathParameter, queryParameter, type Parameter } from './parameters.ts';
import { createSchemaCollector, type SchemaCollector } from './schemas.ts';

export function buildV2(index: ResourceIndex, gitVersion: string): object {
  const collector = createSchemaCollector(2, kindsByDefinition(index));
  const paths: Record<string, unknown> = {};
  for (const [path, id] of Object.values(plainDocuments))
    paths[path] = {
      get: {
        ...plainOperation(id),
        responses: { 200: { description: 'OK' }, 401: { description: 'Unauthorized' } },
      },
    };
  for (const endpoint of index.list())
    for (const p of pathsOf(endpoint.definition))
      paths[p.path] = pathItemV2(endpoint, p, collector);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: sorted(paths),
    definitions: collector.schemas(),
    securityDefinitions: {
      BearerToken: {
        description: 'Bearer Token authentication',
        type: 'apiKey',
        name: 'authorization',
        in: 'header',
      },
    },
    security: [{ BearerToken: [] }],
  };
}

function pathItemV2(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): object {
  const kind = path.subresource?.gvk.kind ?? endpoint.definition.kind;
  const parameter = (p: Parameter) => ({
    uniqueItems: true,
    type: p.type,
    ...(p.description ? { description: p.description } : {}),
    name: p.name,
    in: p.in,
    ...(p.required ? { required: true } : {}),
  });
  const operations = path.operations.map((o) => {
    const schema = answerSchema(endpoint, path, o, collector);
    const body = bodyOf(endpoint, path, o, collector);
    const responses = Object.fromEntries(
      o.codes.map((code) => [
        code,
        code === '401'
          ? { description: 'Unauthorized' }
          : { description: answerText(code), schema },
      ]),
    );
    return [
      o.method,
      {
        consumes: body?.types ?? ['*/*'],
        produces: o.answer === 'text' ? ['*/*'] : bodyTypes,
        schemes: ['https'],
        tags: [tagName(endpoint)],
        operationId: o.id,
        parameters: [
          ...(body === undefined
            ? []
            : [
                {
                  name: 'body',
                  in: 'body',
                  ...(body.required ? { required: true } : {}),
                  schema: body.schema,
                },
              ]),
          ...o.parameters.map((n) => parameter(queryParameter(n))),
        ],
        responses,
        'x-kubernetes-action': o.action,
        'x-kubernetes-group-version-kind': gvkOf(endpoint, path),
      },
    ] as const;
  });
  const parameters = path.pathParameters.map((name) => parameter(pathParameter(name, kind)));
  return { ...Object.fromEntries(operations), ...(parameters.length > 0 ? { parameters } : {}) };
}
