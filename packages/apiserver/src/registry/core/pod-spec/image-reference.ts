// Reads image references (`registry:5000/path/name:tag@digest`) far enough to know whether the
// image may change under its name, which decides how it is pulled by default.
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

/** `Always` for `latest` and for what has neither tag nor digest; `IfNotPresent` otherwise. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  return imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

/**
 * The tag, `latest` when there is neither tag nor digest; empty with only a digest or when
 * unreadable.
 */
function imageTag(image: string): string {
  if (bareIdentifier.test(image)) return '';
  const match = reference.exec(withDefaultDomain(image));
  const [, name = '', tag = '', digestText = ''] = match ?? [];
  if (!match || name.length > nameLengthMax) return '';
  if (digestText !== '' && !isKnownDigest(digestText)) return '';
  return tag === '' && digestText === '' ? 'latest' : tag;
}

/**
 * A first part without dot or colon is no registry; the name must then be lower case as a whole.
 */
function withDefaultDomain(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isDomain =
    slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  return isDomain ? image : `docker.io/${image}`;
}

function isKnownDigest(text: string): boolean {
  const [algorithm = '', hex = ''] = text.split(':');
  return digestLengths[algorithm] === hex.length && /^[a-f0-9]+$/.test(hex);
}
