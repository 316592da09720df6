// Paths of findings in custom resources and their definitions. The root has the empty path, which
// is printed as Go prints a nil path.

/** `spec` + `size` → `spec.size`. */
export function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
/** `spec.m` + `a` → `spec.m[a]`. */
export function keyPath(path: string, key: string): string {
  return `${path}[${key}]`;
}
export function indexPath(path: string, index: number): string {
  return `${path}[${index}]`;
}
/** COMPAT: an error about the whole object has the field `<nil>`. */
export function shownPath(path: string): string {
  return path === '' ? '<nil>' : path;
}
