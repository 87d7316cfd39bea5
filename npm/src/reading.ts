import type { RawTransaction } from './bridge.js';
import type { View } from './entry.js';
import { SyncError, invalid, isObject, textOf } from './errors.js';

/** Freezes a value of a view at every depth: where something is frozen already, all below it is. */
function freeze(value: unknown): unknown {
  if (isObject(value) && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

/**
 * Runs a transaction's function on the view and records the top-level properties that it looks at. These are frozen: a
 * function that changed them in place, and returned nothing, would change this client's view and no state.
 */
export function transaction(view: View, run: (current: View) => unknown): RawTransaction {
  const reads = new Set<string>();
  let all = false;
  const note = (key: PropertyKey): void => { if (typeof key === 'string') reads.add(key); };
  const write = (): never => { throw invalid('the function given to updateState returns its updates: what it is given is not written to'); };
  const current = new Proxy(Object.freeze(view), {
    set: write, deleteProperty: write, defineProperty: write,
    get: (target, key) => (note(key), freeze(Reflect.get(target, key))),
    has: (target, key) => (note(key), Reflect.has(target, key)),
    getOwnPropertyDescriptor: (target, key) => (note(key), Reflect.getOwnPropertyDescriptor(target, key)),
    ownKeys: (target) => ((all = true), Reflect.ownKeys(target)),
  });
  let updates: unknown;
  try {
    updates = run(current);
  } catch (error) {
    throw new SyncError('update_failed', `the function given to updateState has thrown: ${textOf(error)}`, error);
  }
  if (updates !== undefined && (!isObject(updates) || Array.isArray(updates) || typeof updates['then'] === 'function')) {
    throw invalid('the function given to updateState returns an object of updates, or undefined; it must not be async');
  }
  return { updates, reads: all ? null : [...reads] };
}
