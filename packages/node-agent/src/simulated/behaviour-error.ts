// A field of a behaviour that cannot be used.

/** A value that cannot be read; the message says what is expected. */
export class BehaviourError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BehaviourError';
  }
}
