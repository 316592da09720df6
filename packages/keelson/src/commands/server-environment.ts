// What a command that serves may do with its process; handed in by the file that owns it.

export interface ServerEnvironment {
  print(text: string): void;
  printError(text: string): void;
  /** Calls `stop` when the process is asked to end. */
  onStop(stop: (signal: string) => void): void;
  exit(code: number): void;
}
