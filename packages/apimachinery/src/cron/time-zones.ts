// Names of time zones in the IANA database, spelt as they are there. The database is the one that
// comes with the runtime.

/** What Go's `time.LoadLocation` says about the name; undefined when there is such a zone. */
export function timeZoneProblem(name: string): string | undefined {
  return name === 'UTC' || name === 'Local' || isKnown(name)
    ? undefined
    : `unknown time zone ${name}`;
}

function isKnown(name: string): boolean {
  // The runtime also knows offsets such as `+01:00`, and names in any case.
  if (!/^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    return known === name || known.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
