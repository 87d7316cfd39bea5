import type { RawClient, RawStatus } from './bridge.js';
import { Entry, type View } from './entry.js';
import { Quiet, SyncError, fromGo, invalid, isObject, listen, textOf, toSyncError } from './errors.js';
import { compile, run } from './load.js';
import { Handle, checkListener, type Listener } from './state.js';
import type { AccessToken, ClientOptions, ConnectionStatus, PatchOperation, WasmOption } from './types.js';

/** The status before anything was done; server rendering shows it. */
export const idleStatus: ConnectionStatus = Object.freeze({
  phase: 'idle', connected: false, everConnected: false, attempt: 0, nextRetryAt: null, pending: 0, latencyMs: null, lastError: null,
});

const empty: View = Object.freeze({});
const mostErrors = 64;

/** A client, for states of any shape; types.ts gives it one. All of it runs on one thread. */
export class SyncClient {
  readonly entries = new Map<string, Entry>();
  private readonly args: readonly unknown[];
  private readonly options: ClientOptions;
  private readonly source: () => WasmOption;

  private started = false;
  private raw: RawClient | undefined;
  private waiting: (() => void)[] = []; // for raw, or for the failure
  private failure: SyncError | undefined; // nothing can be asked any more
  private ending: Promise<void> | undefined;
  private readonly open = new Set<(error: SyncError) => void>(); // what is asked and not answered

  private queue: (() => void)[] = []; // for listeners, in order
  private draining = false;

  private errors: SyncError[] = [];
  private dropped = 0;
  private readonly errorListeners = new Set<(error: SyncError) => void>();
  private record: ConnectionStatus = idleStatus;
  private readonly statusListeners = new Set<(status: ConnectionStatus) => void>();

  private current: Handle | undefined; // connected last
  private chosen: Handle | undefined; // what connectToState was called with last
  private readonly joined = new Map<string, Handle>(); // by connectToState
  private early: [string, Listener, readonly string[] | undefined][] = []; // listeners from before
  private readonly subscribers = new Set<(state: View, previous: View) => void>();
  private unsubscribe: () => void = () => undefined;

  constructor(endpoint: unknown, clientIdentifier: unknown, accessToken: unknown, options: unknown, source: () => WasmOption) {
    const address = isObject(endpoint) && typeof endpoint['href'] === 'string' ? endpoint['href'] : endpoint;
    if (typeof address !== 'string' || !/^(wss?|https?):\/\/[^\s/?#]/i.test(address)) {
      throw invalid(`the endpoint is the address of a server, such as wss://example.com, and not ${String(address)}`);
    }
    if (typeof clientIdentifier !== 'string') throw invalid('the client identifier is a string');
    if (accessToken !== undefined && accessToken !== null && !['string', 'function'].includes(typeof accessToken)) {
      throw invalid('the access token is a string or a function; it may be left out');
    }
    if (options !== undefined && !isObject(options)) throw invalid('the options are an object');
    this.options = options ?? {};
    this.source = source;
    const { backoff, connectTimeoutMs, pendingLimit } = checkLimits(this.options);
    this.args = [address, clientIdentifier, accessToken as AccessToken, { tokenInQuery: this.options.tokenInQuery === true, backoff, connectTimeoutMs, pendingLimit }];
    if (this.options.autoConnect !== false) this.connect();
  }

  readonly connect = (): void => {
    if (this.started || this.failure) return;
    this.started = true;
    this.note({ phase: 'loading' });
    this.start().catch((error: unknown) => this.fail(toSyncError(error, 'wasm_load')));
  };

  private async start(): Promise<void> {
    const socket = this.options.WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket;
    if (typeof socket !== 'function') {
      throw new SyncError('no_websocket', 'There is no WebSocket here: give one as options.WebSocket, such as that of the package ws in Node 20.');
    }
    const module = await compile(this.options.wasm ?? this.source());
    if (this.failure) return;
    const { client, ended } = await run(module, this.args, socket);
    void ended.then((words) => this.fail(new SyncError('wasm_exited', `The client's WebAssembly module has crashed: ${words}`)));
    if (this.failure) return void client.close();
    this.raw = client;
    client.onError((error) => this.report(toSyncError(error, 'unknown')));
    client.onStatus((status) => this.noteRaw(status));
    this.noteRaw(client.status());
    this.runWaiting();
  }

  private runWaiting(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const each of waiting) each();
    this.drain();
  }

  /** Nothing works any more: everything that was asked is answered with the error. */
  private fail(error: SyncError): void {
    if (this.failure) return;
    this.failure = error;
    this.note({ phase: error.code === 'closed' ? 'closed' : 'failed', connected: false, nextRetryAt: null, lastError: error });
    if (error.code !== 'closed') this.report(error);
    this.settleAll(error);
  }

  private settleAll(error: SyncError): void {
    for (const reject of [...this.open]) reject(error);
    for (const entry of [...this.entries.values()]) entry.end(error);
    this.runWaiting();
  }

  /** Asks something of Go, as soon as there is a client: at once if there is, so that its effect shows at once. */
  ask<T>(begin: (raw: RawClient) => PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = <A>(end: (value: A) => void) => (value: A): void => {
        this.open.delete(reject);
        end(value);
      };
      this.open.add(reject);
      const go = (): void => {
        try {
          if (this.failure) throw this.failure;
          const made = begin(this.raw as RawClient) as PromiseLike<T> | undefined; // none when Go has crashed in it; fail follows
          made?.then(settle(resolve), settle((error: unknown) => reject(fromGo(error))));
        } catch (error) {
          settle(reject)(fromGo(error));
        }
      };
      if (this.raw || this.failure) {
        go();
        this.drain();
      } else {
        this.waiting.push(go);
        this.connect();
      }
    });
  }

  /** ask for a change: it counts as pending until its verdict, and a refusal reaches onError too. */
  change(begin: (raw: RawClient) => PromiseLike<number>, entry: Entry | undefined): Promise<number> {
    const began = Date.now();
    this.note({ pending: this.record.pending + 1 });
    return new Quiet<number>((resolve, reject) => {
      this.ask(begin).then(
        (version) => {
          if (entry) entry.version = Math.max(entry.version, version); // Go tells only of what changes the view
          this.note({ pending: this.record.pending - 1, latencyMs: Date.now() - began });
          resolve(version);
        },
        (error: unknown) => {
          this.note({ pending: this.record.pending - 1 });
          this.reject(reject, error);
        });
    });
  }

  /** Rejects with the error, which onError hears too. What JSON.stringify threw is the caller's alone. */
  reject(reject: (error: unknown) => void, error: unknown): void {
    const made = fromGo(error);
    if (made instanceof SyncError && !this.hasFailedBy(made)) this.report(made);
    reject(made);
  }

  /** Why the client has failed is told once, and not by everything that ends with it. */
  private hasFailedBy(error: SyncError): boolean {
    if (!this.failure && this.raw) this.noteRaw(this.raw.status()); // Go's own word may still be on its way
    return this.record.phase === 'failed' && this.record.lastError?.code === error.code;
  }

  /** Runs what tells listeners, after what was queued before: when Go has returned, for it may be in the middle. */
  later(tell: () => void): void {
    if (this.queue.push(tell) === 1) queueMicrotask(() => this.drain());
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (let tell = this.queue[0]; tell; tell = this.queue[0]) {
      this.queue.shift();
      try {
        tell();
      } catch (error) { // console.error, where somebody has made it throw: the others are told all the same
        queueMicrotask(() => { throw error; });
      }
    }
    this.draining = false;
  }

  /** Calls a function of the user's; what it throws goes to onError, or to the console where nobody listens. */
  guard(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      const made = new SyncError('listener_failed', `${what} has thrown: ${textOf(error)}`, error);
      this.print(made, error);
      this.report(made);
    }
  }

  /** Tells the console, where nobody listens to onError. */
  private print(...error: unknown[]): void {
    if (this.errorListeners.size === 0) console.error(...error);
  }

  report(error: SyncError): void {
    if (this.errorListeners.size === 0) {
      if (this.errors.length < mostErrors) this.errors.push(error);
      else this.dropped++;
      return;
    }
    this.later(() => {
      for (const listener of [...this.errorListeners]) {
        try {
          listener(error);
        } catch (thrown) { // not to onError: it would hear of its own for ever
          this.errorListeners.delete(listener);
          console.error(thrown);
        }
      }
    });
  }

  onError(listener?: (error: SyncError) => void): Promise<SyncError> | (() => void) {
    if (listener === undefined) {
      return new Promise((resolve) => {
        const kept = this.takeError();
        if (kept) return resolve(kept);
        const once = (error: SyncError): void => (this.errorListeners.delete(once), resolve(error));
        this.errorListeners.add(once);
      });
    }
    const end = listen(this.errorListeners, 'onError', listener);
    for (let kept = this.takeError(); kept; kept = this.takeError()) this.report(kept);
    return end;
  }

  private takeError(): SyncError | undefined {
    const kept = this.errors.shift();
    if (kept || this.dropped === 0) return kept;
    const dropped = new SyncError('errors_dropped', `${this.dropped} further errors were not kept: nobody listened to onError`);
    this.dropped = 0;
    return dropped;
  }

  get status(): ConnectionStatus {
    return this.record;
  }

  readonly onStatus = (listener: (status: ConnectionStatus) => void): (() => void) => listen(this.statusListeners, 'onStatus', listener);

  private noteRaw(status: RawStatus): void {
    if (this.failure) return;
    this.note({
      phase: status.phase, connected: status.phase === 'connected', everConnected: status.everConnected, attempt: status.attempt,
      nextRetryAt: status.nextRetryAt, lastError: status.lastError && toSyncError(status.lastError, 'unknown'),
    });
  }

  private note(changed: Partial<ConnectionStatus>): void {
    const before = this.record;
    if ((Object.keys(changed) as (keyof ConnectionStatus)[]).every((key) => before[key] === changed[key])) return;
    this.record = Object.freeze({ ...before, ...changed });
    if (changed.phase === 'failed' && before.phase !== 'failed') this.print(changed.lastError);
    this.later(() => {
      for (const listener of [...this.statusListeners]) {
        if (this.statusListeners.has(listener)) this.guard('a listener of the status', () => listener(this.record));
      }
    });
  }

  onConnection(): Promise<void> {
    return new Quiet((resolve, reject) => void this.ask((raw) => raw.onConnection()).then(resolve, reject));
  }

  connectToState(identifier: string): Promise<View> {
    const made = new Quiet<View>((resolve, reject) => {
      if (typeof identifier !== 'string') return this.reject(reject, invalid('connectToState takes the identifier of a state, a string'));
      let handle = this.joined.get(identifier);
      if (!handle || handle.status === 'ended') this.joined.set(identifier, (handle = new Handle(this, identifier, empty)));
      const chosen = handle;
      this.chosen = chosen;
      chosen.ready().then((view) => {
        this.makeCurrent(chosen);
        resolve(view);
      }, (error: unknown) => {
        if (!made.heeded && !this.failure && this.record.phase !== 'failed') this.print(error);
        reject(error);
      });
    });
    return made;
  }

  private makeCurrent(handle: Handle): void {
    this.unsubscribe();
    this.current = handle;
    this.unsubscribe = handle.subscribe((state, previous) => {
      for (const subscriber of [...this.subscribers]) this.guard('a listener of the state', () => subscriber(state, previous));
    });
    for (const [identifier, call, properties] of this.early) handle.addStateUpdateListener(identifier, call, properties);
    this.early = [];
  }

  state(identifier: string, options?: { initialState?: View }): Handle {
    if (typeof identifier !== 'string') throw invalid('state takes the identifier of a state, a string');
    return new Handle(this, identifier, options?.initialState ?? empty);
  }

  /** The entry of the state; a new one connects to it. */
  enter(identifier: string, initial: View): Entry {
    let entry = this.entries.get(identifier);
    if (!entry) this.entries.set(identifier, (entry = new Entry(this, identifier, initial)));
    return entry;
  }

  forget(entry: Entry): void {
    if (this.entries.get(entry.identifier) === entry) this.entries.delete(entry.identifier);
  }

  readonly getState = (): View => this.current?.getState() ?? empty;
  readonly getInitialState = (): View => this.current?.getInitialState() ?? empty;

  readonly subscribe = (listener: (state: View, previous: View) => void): (() => void) => listen(this.subscribers, 'subscribe', listener);

  addStateUpdateListener(identifier: string, call: Listener, properties?: readonly string[]): void {
    if (this.current) return this.current.addStateUpdateListener(identifier, call, properties);
    checkListener(identifier, call, properties);
    this.removeStateUpdateListener(identifier);
    this.early.push([identifier, call, properties]);
  }

  removeStateUpdateListener(identifier: string): boolean {
    if (this.current) return this.current.removeStateUpdateListener(identifier);
    const left = this.early.filter(([other]) => other !== identifier);
    const found = left.length < this.early.length;
    this.early = left;
    return found;
  }

  updateState(updates: unknown): Promise<number> { return this.on((state) => state.updateState(updates)); }
  patchState(operations: readonly PatchOperation[]): Promise<number> { return this.on((state) => state.patchState(operations)); }
  set(place: unknown, value: unknown): Promise<number> { return this.on((state) => state.set(place, value)); }
  append(place: unknown, ...elements: unknown[]): Promise<number> { return this.on((state) => state.append(place, ...elements)); }
  insert(place: unknown, index: number, ...elements: unknown[]): Promise<number> { return this.on((state) => state.insert(place, index, ...elements)); }
  increment(place: unknown, by?: number): Promise<number> { return this.on((state) => state.increment(place, by)); }
  remove(place: unknown, ...element: unknown[]): Promise<number> { return this.on((state) => state.remove(place, ...element)); }

  /** Makes a change of the state connected last, or before any is, of the one that is being connected to: it waits. */
  private on(change: (state: Handle) => Promise<number>): Promise<number> {
    const state = this.current ?? this.chosen;
    if (state && !this.failure) return change(state);
    return new Quiet((_, reject) => this.reject(reject, this.failure ??
      new SyncError('not_connected_to_state', 'not_connected_to_state: The client is not connected to a state; connect to one first.')));
  }

  close(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private async end(): Promise<void> {
    const closed = new SyncError('closed', 'closed: the client was closed');
    const raw = this.failure ? undefined : this.raw;
    if (!raw) return this.fail(closed);
    this.failure = closed;
    this.note({ phase: 'closed', connected: false, nextRetryAt: null });
    await raw.close(); // what waits has its verdict now
    await Promise.resolve();
    this.settleAll(closed);
  }
}

/** Throws what Go would say of wrong limits, which hears of them later. */
function checkLimits(options: ClientOptions): ClientOptions {
  const { backoff, connectTimeoutMs, pendingLimit } = options;
  const amounts = (...values: unknown[]): boolean => values.every((value) => typeof value === 'number' && value >= 1);
  if (backoff !== undefined && !(amounts(backoff?.shortestMs, backoff?.longestMs) && backoff.longestMs >= backoff.shortestMs)) {
    throw invalid('the option backoff is an object with shortestMs, from 1, and longestMs, which is not below it');
  }
  if (connectTimeoutMs !== undefined && !amounts(connectTimeoutMs)) throw invalid('the option connectTimeoutMs is a number from 1');
  if (pendingLimit !== undefined && !amounts(pendingLimit?.changes, pendingLimit?.bytes)) {
    throw invalid('the option pendingLimit is an object with changes and bytes, numbers from 1');
  }
  return options;
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(SyncClient.prototype, Symbol.dispose, { value(this: SyncClient) { void this.close(); } });
}
