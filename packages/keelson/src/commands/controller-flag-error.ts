/** What is wrong with the flags of the controllers, or the files that they name. */
export class ControllerFlagError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ControllerFlagError';
  }
}
