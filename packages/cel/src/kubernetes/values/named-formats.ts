// The named formats of the Format library: what each demands of a text, and the texts that say what
// is wrong. COMPAT: the texts are those of Kubernetes' validation.

import { requestUriProblem } from './url.ts';

export interface NamedFormat {
  readonly name: string;
  /** The length of a regular expression that would do the check; the cost is counted by it. */
  readonly patternLength: number;
  /** What is wrong with the text; empty when nothing is. */
  validate(text: string): readonly string[];
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedPart = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const labelLengthMax = 63;
const subdomainLengthMax = 253;

const texts = {
  label:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  label1035:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  qualified:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
} as const;

interface Pattern {
  readonly pattern: string;
  readonly text: string;
  readonly examples: readonly string[];
}

const patterns = {
  label: { pattern: label, text: texts.label, examples: ['my-name', '123-abc'] },
  subdomain: { pattern: subdomain, text: texts.subdomain, examples: ['example.com'] },
  label1035: { pattern: label1035, text: texts.label1035, examples: ['my-name', 'abc-123'] },
  qualified: {
    pattern: qualifiedPart,
    text: texts.qualified,
    examples: ['MyName', 'my.name', '123-abc'],
  },
  labelValue: {
    pattern: `(${qualifiedPart})?`,
    text: texts.labelValue,
    examples: ['MyValue', 'my_value', '12345'],
  },
} as const satisfies Record<string, Pattern>;

function describe({ pattern, text, examples }: Pattern): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${text} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

function patternProblems(text: string, pattern: Pattern): string[] {
  return new RegExp(`^${pattern.pattern}$`).test(text) ? [] : [describe(pattern)];
}

function lengthProblems(text: string, max: number, unit: 'characters' | 'bytes'): string[] {
  const isLong = text.length > max || new TextEncoder().encode(text).length > max;
  return isLong ? [`must be no more than ${max} ${unit}`] : [];
}

function labelProblems(text: string): string[] {
  const problems = lengthProblems(text, labelLengthMax, 'characters');
  const [problem] = patternProblems(text, patterns.label);
  if (problem === undefined) return problems;
  const hasDots = patternProblems(text, patterns.subdomain).length === 0;
  return [...problems, hasDots ? 'must not contain dots' : problem];
}

function subdomainProblems(text: string): string[] {
  const problems = lengthProblems(text, subdomainLengthMax, 'characters');
  return [...problems, ...patternProblems(text, patterns.subdomain)];
}

function label1035Problems(text: string): string[] {
  const problems = lengthProblems(text, labelLengthMax, 'characters');
  return [...problems, ...patternProblems(text, patterns.label1035)];
}

function labelValueProblems(text: string): string[] {
  const problems = lengthProblems(text, labelLengthMax, 'bytes');
  return [...problems, ...patternProblems(text, patterns.labelValue)];
}

/** A name that a suffix will follow may end in a dash. */
function asPrefix(text: string): string {
  return text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text;
}

function qualifiedNameProblems(text: string): string[] {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) {
    const what = describe(patterns.qualified);
    return [
      `a valid label key ${what} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  if (second !== undefined && first === '') problems.push('prefix part must be non-empty');
  else if (second !== undefined) {
    problems.push(...subdomainProblems(first).map((problem) => `prefix part ${problem}`));
  }
  const name = second ?? first;
  const found = [
    ...(name === '' ? ['must be non-empty'] : lengthProblems(name, labelLengthMax, 'bytes')),
    ...patternProblems(name, patterns.qualified),
  ];
  return [...problems, ...found.map((problem) => `name part ${problem}`)];
}

const problemUnless =
  (accepts: (text: string) => boolean, problem: string) =>
  (text: string): string[] =>
    accepts(text) ? [] : [problem];

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

/** `2024-02-29`. */
function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

/** `2024-02-29T12:00:00.5Z`, with any letter case. */
function isDateTime(text: string): boolean {
  const [date, time, ...more] = text.toLowerCase().split('t');
  if (date === undefined || time === undefined || more.length > 0 || !isDate(date)) return false;
  const match = /^(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})$/.exec(time);
  if (match === null) return false;
  return Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59;
}

function uriProblems(text: string): string[] {
  const problem = requestUriProblem(text);
  return problem === undefined ? [] : [problem];
}

/** By the name that `format.<name>()` and `format.named('<name>')` take. */
export const namedFormats: ReadonlyMap<string, NamedFormat> = new Map(
  Object.entries({
    dns1123Label: {
      name: 'DNS1123Label',
      patternLength: 30,
      validate: labelProblems,
    },
    dns1123Subdomain: {
      name: 'DNS1123Subdomain',
      patternLength: 60,
      validate: subdomainProblems,
    },
    dns1035Label: {
      name: 'DNS1035Label',
      patternLength: 30,
      validate: label1035Problems,
    },
    qualifiedName: { name: 'QualifiedName', patternLength: 60, validate: qualifiedNameProblems },
    dns1123LabelPrefix: {
      name: 'DNS1123LabelPrefix',
      patternLength: 30,
      validate: (text: string) => labelProblems(asPrefix(text)),
    },
    dns1123SubdomainPrefix: {
      name: 'DNS1123SubdomainPrefix',
      patternLength: 60,
      validate: (text: string) => subdomainProblems(asPrefix(text)),
    },
    dns1035LabelPrefix: {
      name: 'DNS1035LabelPrefix',
      patternLength: 30,
      validate: (text: string) => label1035Problems(asPrefix(text)),
    },
    labelValue: {
      name: 'LabelValue',
      patternLength: 40,
      validate: labelValueProblems,
    },
    uri: { name: 'URI', patternLength: 1103, validate: uriProblems },
    uuid: {
      name: 'uuid',
      patternLength: 70,
      validate: problemUnless((text) => uuid.test(text), 'does not match the UUID format'),
    },
    byte: {
      name: 'byte',
      patternLength: 84,
      validate: problemUnless((text) => base64.test(text), 'invalid base64'),
    },
    date: { name: 'date', patternLength: 71, validate: problemUnless(isDate, 'invalid date') },
    datetime: {
      name: 'datetime',
      patternLength: 71,
      validate: problemUnless(isDateTime, 'invalid datetime'),
    },
  }),
);
