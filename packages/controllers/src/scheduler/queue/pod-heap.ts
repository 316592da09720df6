// A binary heap whose members can be taken out anywhere.

export interface Heap<T> {
  readonly size: number;
  push(item: T): void;
  peek(): T | undefined;
  pop(): T | undefined;
  /** True when it was there. */
  remove(item: T): boolean;
  items(): Iterable<T>;
}

/** `isBefore` must not change for members. */
export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  const positions = new Map<T, number>();
  const put = (item: T, at: number) => {
    items[at] = item;
    positions.set(item, at);
  };
  const rise = (item: T, from: number) => {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as T;
      if (!isBefore(item, parent)) break;
      put(parent, at);
      at = above;
    }
    put(item, at);
  };
  const sink = (item: T, from: number) => {
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && isBefore(items[below + 1] as T, items[below] as T)) below++;
      if (!isBefore(items[below] as T, item)) break;
      put(items[below] as T, at);
      at = below;
    }
    put(item, at);
  };
  const remove = (item: T): boolean => {
    const at = positions.get(item);
    if (at === undefined) return false;
    positions.delete(item);
    const last = items.pop() as T;
    if (at === items.length) return true;
    sink(last, at);
    rise(last, positions.get(last) ?? at);
    return true;
  };
  return {
    get size() {
      return items.length;
    },
    push(item) {
      items.push(item);
      rise(item, items.length - 1);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      if (items.length > 0) remove(first as T);
      return first;
    },
    remove,
    items: () => items,
  };
}
