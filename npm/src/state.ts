import { hasOwn } from './apply.js';
import type { RawState } from './bridge.js';
import type { SyncClient } from './client.js';
import type { Change, Entry, View } from './entry.js';
import { Quiet, SyncError, invalid, isObject, listen } from './errors.js';
import { appending, checkValues, inserting, pathOf, removing, pointer } from './places.js';
import { transaction } from './reading.js';
import type { PatchOperation } from './types.js';

/** What a user calls as a listener of updates. */
export type Listener = (updates: View, previous: View, detail: Change['detail']) => void;

interface Heard {
  readonly call: Listener;
  readonly properties: readonly string[] | undefined;
}

/** A handle of a state. It is written for any shape; types.ts gives it one. */
export class Handle {
  readonly identifier: string;
  private readonly client: SyncClient;
  private readonly initial: View;
  private entry: Entry | undefined;
  private left: SyncError | null = null;
  private readonly listeners = new Map<string, Heard>();
  private readonly subscribers = new Set<(state: View, previous: View) => void>();

  constructor(client: SyncClient, identifier: string, initial: View) {
    this.client = client;
    this.identifier = identifier;
    this.initial = initial;
  }

  get status(): 'idle' | 'joining' | 'joined' | 'ended' {
    return this.left ? 'ended' : (this.peek()?.phase ?? 'idle');
  }

  get error(): SyncError | null {
    return this.left ?? this.peek()?.error ?? null;
  }

  get version(): number {
    return this.peek()?.version ?? 0;
  }

  readonly getState = (): View => this.peek()?.view ?? this.initial;
  readonly getInitialState = (): View => this.initial;

  readonly subscribe = (listener: (state: View, previous: View) => void): (() => void) => {
    const end = listen(this.subscribers, 'subscribe', listener);
    this.use();
    return end;
  };

  ready(): Promise<View> {
    return new Quiet((resolve, reject) => {
      const entry = this.use(), { error } = this;
      if (entry && !error) this.client.ask(() => entry.ready).then(resolve, (refusal: unknown) => this.client.reject(reject, refusal));
      else this.client.reject(reject, error);
    });
  }

  updateState(updates: unknown): Promise<number> {
    if (typeof updates === 'function') {
      return this.change((raw, entry) => raw.transact(() => transaction(entry.view, updates as (current: View) => unknown)));
    }
    return this.change((raw) => {
      if (!isObject(updates) || Array.isArray(updates)) throw invalid('updateState takes an object of updates, or a function that returns one');
      return raw.updateState(updates);
    });
  }

  patchState(operations: readonly PatchOperation[]): Promise<number> {
    return this.patch(() => {
      if (!Array.isArray(operations)) throw invalid('patchState takes an array of operations');
      return operations;
    });
  }

  set(place: unknown, value: unknown): Promise<number> {
    return this.patch((view) => {
      checkValues('set', [value]);
      const path = pathOf('set', place), last = path[path.length - 1];
      return [{ op: typeof last === 'number' && pathHas(view, path) ? 'replace' : 'add', path: pointer(path), value }];
    });
  }

  append(place: unknown, ...elements: unknown[]): Promise<number> {
    return this.patch(() => appending(pathOf('append', place), elements));
  }

  insert(place: unknown, index: number, ...elements: unknown[]): Promise<number> {
    return this.patch(() => inserting(pathOf('insert', place), index, elements));
  }

  increment(place: unknown, by: number = 1): Promise<number> {
    return this.patch(() => {
      if (!Number.isFinite(by)) throw invalid(`increment takes a finite number, and not ${String(by)}`);
      return [{ op: 'increment', path: pointer(pathOf('increment', place)), value: by }];
    });
  }

  remove(place: unknown, ...element: unknown[]): Promise<number> {
    return this.patch((view) => removing(view, pathOf('remove', place), element.length > 0, element[0]));
  }

  addStateUpdateListener(identifier: string, call: Listener, properties?: readonly string[]): void {
    checkListener(identifier, call, properties);
    this.use();
    this.listeners.set(identifier, { call, properties: properties?.length ? [...properties] : undefined });
  }

  removeStateUpdateListener(identifier: string): boolean {
    return this.listeners.delete(identifier);
  }

  leave(): void {
    if (this.left) return;
    this.left = new SyncError('closed', `closed: the state "${this.identifier}" was left`);
    this.entry?.listeners.delete(this.hear);
    this.listeners.clear();
    this.subscribers.clear();
    this.entry?.leave();
  }

  /** The state as it is, without asking for it. */
  private peek(): Entry | undefined {
    return this.entry ?? this.client.entries.get(this.identifier);
  }

  /** The state, which this handle uses from now on; undefined once it was left. */
  private use(): Entry | undefined {
    if (!this.entry && !this.left) {
      this.entry = this.client.enter(this.identifier, this.initial);
      this.entry.users++;
      this.entry.listeners.add(this.hear);
    }
    return this.entry;
  }

  private patch(operations: (view: View) => readonly PatchOperation[]): Promise<number> {
    return this.change((raw, entry) => {
      const made = operations(entry.view);
      return made.length > 0 ? raw.patchState(made) : Promise.resolve(entry.version);
    });
  }

  private change(run: (raw: RawState, entry: Entry) => Promise<number>): Promise<number> {
    const entry = this.use();
    return this.client.change(() => {
      if (this.left ?? entry?.error) throw this.left ?? entry?.error;
      return run(entry?.raw as RawState, entry as Entry);
    }, entry);
  }

  private readonly hear = (change: Change | undefined): void => {
    if (change) for (const heard of [...this.listeners]) this.call(heard, change);
    const now = this.getState();
    for (const subscriber of [...this.subscribers]) {
      if (this.subscribers.has(subscriber)) this.client.guard('a listener of the state', () => subscriber(now, change?.before ?? now));
    }
  };

  private call([identifier, heard]: [string, Heard], change: Change): void {
    if (this.listeners.get(identifier) !== heard) return; // removed or replaced by one before it
    const names = heard.properties ? change.names.filter((name) => heard.properties?.includes(name)) : change.names;
    if (names.length === 0) return;
    const detail = { ...change.detail, removed: change.detail.removed.filter((name) => names.includes(name)) };
    this.client.guard(`the listener "${identifier}"`, () => heard.call(only(change.after, names), only(change.before, names), detail));
  }
}

/** Throws what is wrong with a listener. */
export function checkListener(identifier: unknown, call: unknown, properties: unknown): void {
  if (typeof identifier !== 'string' || typeof call !== 'function') {
    throw invalid('addStateUpdateListener takes an identifier, a function, and a list of properties or nothing');
  }
  if (properties !== undefined && !(Array.isArray(properties) && properties.every((name) => typeof name === 'string'))) {
    throw invalid('the properties that a listener listens to are an array of names');
  }
}

/** The members of the object with the given names. */
function only(view: View, names: readonly string[]): View {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (hasOwn(view, name)) picked[name] = view[name];
  return picked;
}

function pathHas(view: View, path: readonly (string | number)[]): boolean {
  let at: unknown = view;
  for (const key of path) {
    if (!isObject(at) || !hasOwn(at, key)) return false;
    at = at[key];
  }
  return true;
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(Handle.prototype, Symbol.dispose, { value(this: Handle) { this.leave(); } });
}
