// Labels that nodes still have under their old names, because Pods and StorageClasses select by
// them: they follow the stable ones.

const stableKeys: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
};

/** Old labels that are missing, or say something else; undefined when all is well. */
export function wantedOldLabels(
  labels: Readonly<Record<string, string>> = {},
): Record<string, string> | undefined {
  const wanted = Object.entries(stableKeys).flatMap(([old, stable]) => {
    const value = labels[stable];
    return value === undefined || labels[old] === value ? [] : [[old, value] as const];
  });
  return wanted.length === 0 ? undefined : Object.fromEntries(wanted);
}
