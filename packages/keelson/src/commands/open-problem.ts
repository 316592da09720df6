// Why a file that a flag names cannot be opened, in Go's words.

/** `open FILE: no such file or directory`; undefined for what is not an error of the system. */
export function openProblem(file: string, error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return `open ${file}: ${reasonOf(String(error.code))}`;
}

function reasonOf(code: string): string {
  if (code === 'EACCES') return 'permission denied';
  return code === 'EISDIR' ? 'is a directory' : 'no such file or directory';
}
