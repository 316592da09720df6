/**
 * What is known of the nodes of one tree, by id. Ids are given out one after the other from 1, so
 * this is an array: compiling fills several of them for each expression.
 */

/** Reads what is known. */
export interface NodeTable<T> {
  /** Undefined for nodes of which nothing is known. */
  get(id: number): T | undefined;
}

/** A table while it is filled. */
export class WritableNodeTable<T> implements NodeTable<T> {
  readonly #values: (T | undefined)[] = [undefined];

  get(id: number): T | undefined {
    return this.#values[id];
  }

  set(id: number, value: T): void {
    const values = this.#values;
    // Without holes: parents are often known after their children, and before their siblings.
    while (values.length < id) values.push(undefined);
    values[id] = value;
  }

  /** Replaces each value that is known. */
  update(replace: (value: T) => T): void {
    const values = this.#values;
    for (let id = 0; id < values.length; id++) {
      const value = values[id];
      if (value !== undefined) values[id] = replace(value);
    }
  }
}
