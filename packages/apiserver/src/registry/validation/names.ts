// The rules for names and other short texts (k8s.io/apimachinery/pkg/util/validation). A rule takes
// the text and returns what is wrong with it, one sentence each; no sentence means valid.
// COMPAT: clients match on these sentences.

export type TextRule = (value: string) => string[];

/** A rule for `metadata.name`; `prefix` is true for a `generateName`, whose end may be a dash. */
export type NameRule = (name: string, prefix: boolean) => string[];

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const labelWithUnderscore = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const subdomainWithUnderscore = `${labelWithUnderscore}(\\.${labelWithUnderscore})*`;
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${qualified})?`;
const percentFormat = '[0-9]+%';
const identifier = '[A-Za-z_][A-Za-z0-9_]*';
const envName = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configKey = '[-._a-zA-Z0-9]+';
const headerName = '[-A-Za-z0-9]+';

const whole = (format: string) => new RegExp(`^${format}$`);
const labelPattern = whole(label);
const subdomainPattern = whole(subdomain);
const subdomainUnderscorePattern = whole(subdomainWithUnderscore);
const wildcardPattern = whole(`\\*\\.${subdomain}`);
const dns1035Pattern = whole(dns1035);
const qualifiedPattern = whole(qualified);
const labelValuePattern = whole(labelValueFormat);
const percentPattern = whole(percentFormat);
const identifierPattern = whole(identifier);
const envNamePattern = whole(envName);
const configKeyPattern = whole(configKey);
const headerNamePattern = whole(headerName);

const labelSentence =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainSentence =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const qualifiedSentence =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedDetail = () =>
  regexSentence(qualifiedSentence, qualified, 'MyName', 'my.name', '123-abc');

/** `must be no more than 63 characters`. */
export const maxLengthSentence = (max: number): string => `must be no more than ${max} characters`;
/** `must be no more than 63 bytes`: labels and their keys, since 1.34. */
export const maxBytesSentence = (max: number): string => `must be no more than ${max} bytes`;
/** `must be between 1 and 65535, inclusive`. */
export const rangeSentence = (min: number, max: number): string =>
  `must be between ${min} and ${max}, inclusive`;
export const emptySentence = 'must be non-empty';

/** `msg (e.g. 'a',  or 'b', regex used for validation is 're')`, with Kubernetes' spacing. */
export function regexSentence(msg: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${msg} (regex used for validation is '${format}')`;
  const list = examples.map((e) => `'${e}', `).join(' or ');
  return `${msg} (e.g. ${list}regex used for validation is '${format}')`;
}

/** Go counts bytes of UTF-8. */
export function isLongerThan(value: string, bytesMax: number): boolean {
  if (value.length > bytesMax) return true;
  return value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax;
}

export const dns1123Label: TextRule = (value) => {
  const out = isLongerThan(value, 63) ? [maxLengthSentence(63)] : [];
  if (!labelPattern.test(value)) {
    if (subdomainPattern.test(value)) out.push('must not contain dots');
    else out.push(regexSentence(labelSentence, label, 'my-name', '123-abc'));
  }
  return out;
};

export const dns1123Subdomain: TextRule = (value) => {
  const out = isLongerThan(value, 253) ? [maxLengthSentence(253)] : [];
  if (!subdomainPattern.test(value)) {
    out.push(regexSentence(subdomainSentence, subdomain, 'example.com'));
  }
  return out;
};

export const dns1123SubdomainWithUnderscore: TextRule = (value) => {
  const out = isLongerThan(value, 253) ? [maxLengthSentence(253)] : [];
  if (!subdomainUnderscorePattern.test(value)) {
    const sentence = subdomainSentence.replace("'-' or", "'_', '-' or");
    out.push(regexSentence(sentence, subdomainWithUnderscore, 'example.com'));
  }
  return out;
};

export const wildcardDns1123Subdomain: TextRule = (value) => {
  const out = isLongerThan(value, 253) ? [maxLengthSentence(253)] : [];
  if (!wildcardPattern.test(value)) {
    const sentence =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    out.push(regexSentence(sentence, `\\*\\.${subdomain}`, '*.example.com'));
  }
  return out;
};

export const dns1035Label: TextRule = (value) => {
  const out = isLongerThan(value, 63) ? [maxLengthSentence(63)] : [];
  if (!dns1035Pattern.test(value)) {
    const sentence =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    out.push(regexSentence(sentence, dns1035, 'my-name', 'abc-123'));
  }
  return out;
};

/** `name` or `prefix/name`: keys of labels, annotations, resources. */
export const qualifiedName: TextRule = (value) => {
  const slash = value.indexOf('/');
  if (slash >= 0 && value.indexOf('/', slash + 1) >= 0) {
    return [
      `a valid label key ${qualifiedDetail()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const out: string[] = [];
  if (slash === 0) out.push(`prefix part ${emptySentence}`);
  else if (slash > 0) {
    for (const text of dns1123Subdomain(value.slice(0, slash))) out.push(`prefix part ${text}`);
  }
  const name = value.slice(slash + 1);
  if (name === '') out.push(`name part ${emptySentence}`);
  else if (isLongerThan(name, 63)) out.push(`name part ${maxBytesSentence(63)}`);
  if (!qualifiedPattern.test(name)) out.push(`name part ${qualifiedDetail()}`);
  return out;
};

export const labelValue: TextRule = (value) => {
  const out = isLongerThan(value, 63) ? [maxBytesSentence(63)] : [];
  if (!labelValuePattern.test(value)) {
    const sentence = `a valid label must be an empty string or consist of ${qualifiedSentence.slice('must consist of '.length)}`;
    out.push(regexSentence(sentence, labelValueFormat, 'MyValue', 'my_value', '12345'));
  }
  return out;
};

/** The name of a port in a container or service (IANA service name). */
export const portName: TextRule = (value) => {
  const out = isLongerThan(value, 15) ? [maxLengthSentence(15)] : [];
  if (!/^[-a-z0-9]+$/.test(value)) {
    out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) out.push('must contain at least one letter (a-z)');
  if (value.includes('--')) out.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) out.push('must not begin or end with a hyphen');
  return out;
};

export const cIdentifier: TextRule = (value) =>
  identifierPattern.test(value)
    ? []
    : [
        regexSentence(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          identifier,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

/** Environment variable names before RelaxedEnvironmentVariableValidation. */
export const strictEnvVarName: TextRule = (value) => {
  const out = envNamePattern.test(value)
    ? []
    : [
        regexSentence(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          envName,
          'my.env-name',
          'MY_ENV.NAME',
          'MyEnvName1',
        ),
      ];
  return out.concat(dotPrefix(value));
};

/** Environment variable names since 1.30: printable ASCII without `=`. */
export const relaxedEnvVarName: TextRule = (value) => {
  if (value === '') return [`environment variable name ${emptySentence}`];
  if (/^[\x20-<>-\x7e]+$/.test(value)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
};

export const configMapKey: TextRule = (value) => {
  const out = isLongerThan(value, 253) ? [maxLengthSentence(253)] : [];
  if (!configKeyPattern.test(value)) {
    out.push(
      regexSentence(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKey,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  return out.concat(dotPrefix(value));
};

export const httpHeaderName: TextRule = (value) =>
  headerNamePattern.test(value)
    ? []
    : [
        regexSentence(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          headerName,
          'X-Header-Name',
        ),
      ];

export const percent: TextRule = (value) =>
  percentPattern.test(value)
    ? []
    : [
        regexSentence(
          "a valid percent string must be a numeric string followed by an ending '%'",
          percentFormat,
          '1%',
          '93%',
        ),
      ];

/** Names that become one path segment of a URL: RBAC objects, certificate requests. */
export const pathSegmentName: NameRule = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
};

/** Object names, which must stay valid when a random suffix is added to a `generateName`. */
export const nameIsDns1123Subdomain: NameRule = (name, prefix) =>
  dns1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const nameIsDns1123Label: NameRule = (name, prefix) =>
  dns1123Label(prefix ? maskTrailingDash(name) : name);

function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

function dotPrefix(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}
