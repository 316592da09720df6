// Types as kube-apiserver prints what an expression evaluates to: by their full names, such as
// `null_type` and `google.protobuf.Duration`. (The compiler's own messages have short ones.)

import type { CelType } from '@keelson/cel';

export function printedType({ kind, name, parameters }: CelType): string {
  if (kind === 'wrapper') return `wrapper(${name})`;
  if (parameters.length === 0) return name;
  return `${name}(${parameters.map(printedType).join(', ')})`;
}
