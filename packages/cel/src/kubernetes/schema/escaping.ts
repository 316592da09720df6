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
