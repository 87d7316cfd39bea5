/** A name of a member or an index of an element. */
export type Key = string | number;

/** A step from one view to the next; jsbridge/steps.go says what each kind means. */
export type Step =
  | readonly ['s' | 'i', readonly Key[], unknown]
  | readonly ['r', readonly Key[]]
  | readonly ['n', readonly Key[], number]
  | readonly ['m' | 'c', readonly Key[], readonly Key[]];

type Container = Record<Key, unknown>;

/** Applies the steps and returns the new value. The old one stays as it is, and what no step touches is shared: every
 * container on the way to a step is copied, once. */
export function apply(root: unknown, steps: readonly Step[]): unknown {
  let fresh = new Set<unknown>();
  const box: Container = { v: root };

  const own = (parent: Container, key: Key): Container => {
    const child = parent[key];
    if (fresh.has(child)) return child as Container;
    const copy = Array.isArray(child) ? child.slice() : { ...(child as object) };
    fresh.add(copy);
    parent[key] = copy;
    return copy as unknown as Container;
  };
  const parentOf = (path: readonly Key[]): Container => {
    let at = box, key: Key = 'v';
    for (const next of path) {
      at = own(at, key);
      key = next;
    }
    return at;
  };
  const put = (path: readonly Key[], value: unknown, insert: boolean): void => {
    const parent = parentOf(path), key = path.length > 0 ? (path[path.length - 1] as Key) : 'v';
    if (insert && typeof key === 'number') (parent as unknown as unknown[]).splice(key, 0, value);
    else parent[key] = value;
  };
  const take = (path: readonly Key[]): unknown => {
    const parent = parentOf(path), key = path[path.length - 1] as Key;
    const value = parent[key];
    if (typeof key === 'number') (parent as unknown as unknown[]).splice(key, 1);
    else delete parent[key];
    return value;
  };

  for (const step of steps) {
    switch (step[0]) {
      case 's': put(step[1], step[2], false); break;
      case 'i': put(step[1], step[2], true); break;
      case 'r': take(step[1]); break;
      case 'n': put(step[1], (valueAt(box['v'], step[1]) as number) + step[2], false); break;
      case 'm': put(step[1], take(step[2]), true); break;
      case 'c':
        put(step[1], valueAt(box['v'], step[2]), true);
        fresh = new Set(); // what stands in two places must not be written to in either
        break;
    }
  }
  return box['v'];
}

/** Whether an object has a member, such as one named constructor. */
export function hasOwn(object: object, key: PropertyKey): boolean {
  return Object.prototype.hasOwnProperty.call(object, key);
}

/** The value at a path; undefined where there is none. */
export function valueAt(root: unknown, path: readonly Key[]): unknown {
  let at = root;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !hasOwn(at, key)) return undefined;
    at = (at as Container)[key];
  }
  return at;
}
