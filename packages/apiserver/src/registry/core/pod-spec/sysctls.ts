// Kernel parameters: the form of their names and the namespace that they belong to.

const segment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';

/** Segments joined by dots or slashes. */
export const sysctlFormat = `^(${segment}[\\./])*${segment}$`;
export const sysctlPattern = new RegExp(sysctlFormat);

/** The kernel namespace of a parameter; undefined for those of the whole node. */
export function sysctlNamespace(name: string): 'ipc' | 'net' | undefined {
  const dotted = normalizeSysctl(name);
  if (dotted.startsWith('net.')) return 'net';
  const isIpc = dotted === 'kernel.sem' || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(dotted);
  return isIpc ? 'ipc' : undefined;
}

/** `net/ipv4/x.y` and `net.ipv4.x/y` are the same parameter: the first separator decides. */
function normalizeSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== '/') return name;
  return name.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}
