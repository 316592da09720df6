// Names of properties as identifiers: `foo-bar` is `foo__dash__bar`, and `namespace`, which is a
// reserved word, is `__namespace__`. Other names than those of letters, digits and `_ . - /`
// cannot be written at all.

const reserved: ReadonlySet<string> = new Set(
  (
    'true false null in as break const continue else for function if import let loop package ' +
    'namespace return var void while'
  ).split(' '),
);

const replacements: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** Whether the language keeps the word for itself. */
export function isReservedWord(word: string): boolean {
  return reserved.has(word);
}

/** The identifier of a property; undefined when it has none. */
export function escapeProperty(name: string): string | undefined {
  if (reserved.has(name)) return `__${name}__`;
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  return name.replace(/__|[-./]/g, (found) => replacements[found] ?? found);
}

const originals: ReadonlyMap<string, string> = new Map([
  ...Object.entries(replacements).map(([text, escaped]) => [escaped, text] as const),
  ...[...reserved].map((word) => [`__${word}__`, word] as const),
]);

/** The name of a property from its identifier; undefined for what no name is escaped to. */
export function unescapeProperty(identifier: string): string | undefined {
  if (identifier.startsWith('__') && identifier.endsWith('__')) {
    const word = identifier.slice(2, -2);
    if (reserved.has(word)) return word;
  }
  let isEscaped = true;
  const name = identifier.replace(/__.*?__/g, (found) => {
    const original = originals.get(found);
    if (original === undefined || reserved.has(original)) isEscaped = false;
    return original ?? found;
  });
  return isEscaped ? name : undefined;
}
