// What may stand as a label's key and value, in Kubernetes' words.
// A key is `[prefix/]name`: the name has at most 63 of [A-Za-z0-9-_.], alphanumeric at both ends;
// the prefix is a DNS subdomain of at most 253. A value is empty or has the form of a name.

const nameMax = 63;
const subdomainMax = 253;
const name = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const value = `(${name})?`;
const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

const nameRule = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${name}')`;
const valueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${value}')`;
const subdomainRule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;

/** What is wrong with a label key (`a qualified name`); nothing when it is valid. */
export function qualifiedNameProblems(text: string): string[] {
  const parts = text.split('/', 3);
  if (parts.length > 2) {
    return [
      `a qualified name ${nameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === '') problems.push('prefix part must be non-empty');
  else if (prefix !== undefined) {
    problems.push(...subdomainProblems(prefix).map((p) => `prefix part ${p}`));
  }
  const last = parts.at(-1) ?? '';
  if (last === '') problems.push('name part must be non-empty');
  else if (tooLong(last, nameMax)) {
    problems.push(`name part must be no more than ${nameMax} bytes`);
  }
  if (!isName(last)) problems.push(`name part ${nameRule}`);
  return problems;
}

/** What is wrong with a label value; nothing when it is valid. */
export function labelValueProblems(text: string): string[] {
  const problems: string[] = [];
  if (tooLong(text, nameMax)) problems.push(`must be no more than ${nameMax} bytes`);
  if (text !== '' && !isName(text)) problems.push(valueRule);
  return problems;
}

/** What is wrong with a lower-case DNS subdomain; nothing when it is valid. */
export function subdomainProblems(text: string): string[] {
  const problems: string[] = [];
  if (tooLong(text, subdomainMax)) problems.push(`must be no more than ${subdomainMax} bytes`);
  if (!text.split('.').every(isSubdomainPart)) problems.push(subdomainRule);
  return problems;
}

// Written without nested repetition, so that long input is refused in linear time.
function isName(text: string): boolean {
  return /^[-A-Za-z0-9_.]+$/.test(text) && /^[A-Za-z0-9]/.test(text) && /[A-Za-z0-9]$/.test(text);
}
function isSubdomainPart(part: string): boolean {
  return /^[-a-z0-9]+$/.test(part) && !part.startsWith('-') && !part.endsWith('-');
}
function tooLong(text: string, bytesMax: number): boolean {
  return (
    text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax)
  );
}
