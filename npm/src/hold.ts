import type { Client, State } from './types.js';

/** What happens when a thing gets its first holder, and when it has lost its last. */
export interface Released<T> {
  begin(thing: T): void;
  end(thing: T): void;
}

interface Holding {
  holders: number;
  ended: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const holdings = new WeakMap<object, Holding>();

/** Holds a thing until the returned function is called. StrictMode lets go of it and takes it again at once, so it ends a
 * moment later. undefined: it has ended already. */
export function hold<T extends object>(thing: T, released: Released<T>): (() => void) | undefined {
  let holding = holdings.get(thing);
  if (!holding) holdings.set(thing, (holding = { holders: 0, ended: false, timer: undefined }));
  if (holding.ended) return undefined;
  const held = holding;
  clearTimeout(held.timer);
  if (held.holders++ === 0) released.begin(thing);
  return () => {
    if (--held.holders > 0) return;
    held.timer = setTimeout(() => {
      held.ended = true;
      released.end(thing);
    });
  };
}

const prefetches = new WeakMap<object, Map<string, Promise<void>>>();
const keptMs = 5000;

/**
 * Connects to a state for a component that suspends, and resolves when its value is there or it cannot be had. React may
 * forget the component and everything in it meanwhile, so the state, which is that of the handle, is kept for a while for the next attempt.
 */
export function prefetch(client: Client, like: State<object>): Promise<void> {
  const { identifier } = like;
  let own = prefetches.get(client);
  if (!own) prefetches.set(client, (own = new Map()));
  let promise = own.get(identifier);
  if (!promise) {
    const handle: State<object> = client.state<object>(identifier, { initialState: like.getInitialState() }); // others may read it meanwhile
    promise = handle.ready().then(() => undefined, () => undefined);
    own.set(identifier, promise);
    const waiting = own;
    void promise.then(() => setTimeout(() => {
      waiting.delete(identifier);
      handle.leave();
    }, keptMs));
  }
  return promise;
}
