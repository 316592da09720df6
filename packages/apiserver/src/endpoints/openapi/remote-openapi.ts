// OpenAPI documents of group versions that other servers serve. The endpoint asks; the aggregator
// answers.

import type { RequestContext } from '../../request-context.ts';

export interface RemoteOpenApi {
  /** Documents of version 3 by path (`apis/metrics.k8s.io/v1beta1`), with their hashes. */
  index(): readonly { readonly path: string; readonly hash: string }[];
  /** Answers with such a document; resolves false when no other server has it. */
  serve(path: string, context: RequestContext): Promise<boolean>;
  /** What to add to our document of version 2, best first. */
  v2(): readonly RemoteOpenApiV2[];
  /** Grows when any of the answers above may be another. */
  readonly generation: number;
}

export interface RemoteOpenApiV2 {
  /** Only paths below these belong to the group version. */
  readonly prefixes: readonly string[];
  /** The whole document of the server. */
  readonly document: object;
}
