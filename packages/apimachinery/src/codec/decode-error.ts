// The one error of the codecs. Messages are those of the Go decoders, because clients and the
// reference recordings show them.

export type DecodeErrorReason =
  /** The text is not JSON, YAML or protobuf at all. */
  | 'syntax'
  /** A value does not fit the type of its field. */
  | 'value'
  /** A bound was exceeded: depth, aliases, size. */
  | 'limit';

export class DecodeError extends Error {
  readonly reason: DecodeErrorReason;

  constructor(message: string, reason: DecodeErrorReason = 'value') {
    super(message);
    this.name = 'DecodeError';
    this.reason = reason;
  }
}

/**
 * Go decodes `null`, numbers and the like into a Go type; this is its text when that fails.
 * `where` is the struct and path of the field, absent at the top.
 */
export function cannotUnmarshal(
  value: string,
  goType: string,
  where?: { readonly struct: string; readonly path: string },
): string {
  const into =
    where === undefined
      ? `Go value of type`
      : `Go struct field ${where.struct}.${where.path} of type`;
  return `json: cannot unmarshal ${value} into ${into} ${goType}`;
}
