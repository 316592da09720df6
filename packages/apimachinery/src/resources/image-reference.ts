// Reads image references (`registry:5000/path/name:tag@digest`): what decides how an image is
// pulled by default, and its name in full, by which container runtimes know it.
// Grammar: github.com/distribution/reference.

const hostPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const host = `(?:${hostPart}(?:\\.${hostPart})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const pathPart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const remoteName = `${pathPart}(?:/${pathPart})*`;
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const reference = new RegExp(
  `^((?:${host}/)?${remoteName})(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(${digest}))?$`,
);
/** A name that could be mistaken for the id of an image. */
const bareIdentifier = /^[a-f0-9]{64}$/;
const nameLengthMax = 255;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const defaultDomain = 'docker.io';

export interface ImageReference {
  /** With registry, as `docker.io/library/nginx`. */
  readonly name: string;
  /** `latest` when there is neither tag nor digest. */
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

/** Why it cannot be read, in the words of the grammar's home; undefined when it can. */
export function imageReferenceProblem(image: string): string | undefined {
  if (parseImageReference(image) !== undefined) return undefined;
  if (bareIdentifier.test(image))
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  const [, ...path] = withDefaultDomain(image).split('/');
  const [remote = ''] = (path.length > 1 ? path.join('/') : `library/${path[0]}`).split(':');
  if (remote.toLowerCase() === remote) return 'invalid reference format';
  return `invalid reference format: repository name (${remote}) must be lowercase`;
}

/** Undefined when it cannot be read. */
export function parseImageReference(image: string): ImageReference | undefined {
  if (bareIdentifier.test(image)) return undefined;
  const match = reference.exec(withDefaultDomain(image));
  const [, found = '', tag, digestText] = match ?? [];
  if (!match || found.length > nameLengthMax) return undefined;
  if (digestText !== undefined && !isKnownDigest(digestText)) return undefined;
  const name = withLibrary(found);
  return {
    name,
    tag: tag ?? (digestText === undefined ? 'latest' : undefined),
    digest: digestText,
  };
}

/** `Always` for `latest` and for what has neither tag nor digest; `IfNotPresent` otherwise. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  return parseImageReference(image)?.tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/**
 * A first part without dot or colon is no registry; the name must then be lower case as a whole.
 */
function withDefaultDomain(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isDomain =
    slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  return isDomain ? image : `${defaultDomain}/${image}`;
}

/** Images of the default registry that belong to nobody are in its library. */
function withLibrary(name: string): string {
  const [domain, ...path] = name.split('/');
  return domain === defaultDomain && path.length === 1 ? `${domain}/library/${path[0]}` : name;
}

function isKnownDigest(text: string): boolean {
  const [algorithm = '', hex = ''] = text.split(':');
  return digestLengths[algorithm] === hex.length && /^[a-f0-9]+$/.test(hex);
}
