/**
 * The public types of server-state-sync. Everything is generic over the shape `S` of a state:
 *
 * ```ts
 * interface Chat { messages: { content: string }[] }
 * const client = new Client<Chat>('ws://localhost:5000', 'userIdentifier', 'accessToken')
 * const state = await client.connectToState('myGroupChat')
 * await client.append('messages', { content: 'hello' })
 * ```
 */

declare global {
  interface SymbolConstructor {
    /** Declared here too, so that these types compile with lib ES2020. */
    readonly dispose: unique symbol;
  }
}

/** What a state is when nobody says more: an object of unknown properties. */
export type AnyState = { [property: string]: unknown };

/** What the compiler says of a call that would change what was read. */
type Refusal = 'what is read of a state cannot be changed in place: use updateState, append, remove or their like';

/** An array as it is read. The methods that would change it cannot be called. */
export interface ReadElements<T> extends Array<Read<T>> {
  readonly [index: number]: Read<T>;
  readonly length: number;
  push(this: Refusal, ...items: Read<T>[]): number;
  pop(this: Refusal): Read<T> | undefined;
  shift(this: Refusal): Read<T> | undefined;
  unshift(this: Refusal, ...items: Read<T>[]): number;
  splice(this: Refusal, start: number, deleteCount?: number, ...items: Read<T>[]): Read<T>[];
  sort(this: Refusal, compare?: (a: Read<T>, b: Read<T>) => number): this;
  reverse(this: Refusal): Read<T>[];
  fill(this: Refusal, value: Read<T>, start?: number, end?: number): this;
  copyWithin(this: Refusal, target: number, start: number, end?: number): this;
}

/**
 * A value as it is read: nothing in it can be written to, at any depth. Who wrote to it all the same would see what no
 * other client sees, for good. Unlike with ReadonlyArray, it may be given to whoever takes a T, such as a setter of React.
 */
export type Read<T> =
  T extends string | number | boolean | bigint | symbol | null | undefined | ((...args: never[]) => unknown) ? T
    : T extends unknown[] ? (number extends T['length'] ? ReadElements<T[number]> : { [K in keyof T]: Read<T[K]> })
      : T extends object ? ReadMembers<T> : T;

/** An object as it is read; see {@link Read}. */
export type ReadMembers<T> = { readonly [K in keyof T]: Read<T[K]> };

/** The names of the codes of errors. PROTOCOL.md says what each means; the last nine are of this package alone. */
export type SyncErrorCode =
  | 'shutting_down' | 'heartbeat_timeout' | 'slow_write' | 'overloaded' | 'handshake_timeout' | 'message_timeout'
  | 'rate_limited' | 'internal_error' | 'unauthorized' | 'origin_refused' | 'protocol_unsupported' | 'bad_message'
  | 'message_too_large' | 'window_exceeded' | 'session_taken' | 'session_mismatch' | 'too_many_fragments' | 'invalid_utf8'
  | 'too_many_pings' | 'state_not_found' | 'not_allowed' | 'state_removed' | 'too_many_states' | 'identifier_invalid'
  | 'state_unavailable' | 'refused' | 'intercept_timeout' | 'intercept_panic' | 'invalid_json' | 'invalid_unicode'
  | 'duplicate_key' | 'reserved_key' | 'number_out_of_range' | 'too_deep' | 'key_too_long' | 'too_large' | 'state_too_large'
  | 'invalid_patch' | 'path_not_found' | 'patch_failed' | 'test_failed' | 'too_many_operations' | 'storage_failed'
  | 'reentrant' | 'state_busy' | 'pending_limit' | 'state_replaced' | 'outcome_unknown' | 'closed'
  | 'not_connected_to_state' | 'conflict' | 'stale' | 'base_too_old'
  | OwnErrorCode;

/** The codes that no server sends. */
export type OwnErrorCode =
  /** An argument is not what the method takes. */
  | 'invalid_argument'
  /** The WebAssembly module could not be loaded or compiled; the message says what to do. */
  | 'wasm_load'
  /** The WebAssembly module has crashed; the message has Go's text. The client is of no more use. */
  | 'wasm_exited'
  /** There is no WebSocket in this environment; give one as `options.WebSocket`. */
  | 'no_websocket'
  /** The connection could not be made or was lost, or there was no access token for it; the client tries again. */
  | 'connection_lost'
  /** A listener threw; its error is the cause. */
  | 'listener_failed'
  /** The function given to updateState threw, and nothing was changed; its error is the cause. */
  | 'update_failed'
  /** Errors that were not kept, because nobody listened to the first 64. */
  | 'errors_dropped'
  /** Anything else. */
  | 'unknown';

/** An error with a code to branch on and a sentence to read. */
export interface SyncError extends Error {
  readonly name: 'SyncError';
  readonly code: SyncErrorCode;
  /** What was thrown below this error, if anything. */
  readonly cause?: unknown;
}

/** The class of {@link SyncError}. */
export interface SyncErrorConstructor {
  new (code: SyncErrorCode, message: string, cause?: unknown): SyncError;
  readonly prototype: SyncError;
}

/** The access token, or a function that is asked for one at every attempt to connect. No token: null or undefined. */
export type AccessToken = string | null | undefined | (() => string | null | undefined | Promise<string | null | undefined>);

/** A compiled WebAssembly.Module. */
export type CompiledModule = object;

/** Where the WebAssembly module comes from: an address, a Response, bytes, or a compiled WebAssembly.Module. */
export type WasmSource =
  | string | { readonly href: string } | { arrayBuffer(): Promise<ArrayBuffer> } | ArrayBuffer | ArrayBufferView | CompiledModule;

/** A source, a Promise of one, or a function that returns either. */
export type WasmOption = WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>);

/** The options of a client. Each may be left out. */
export interface ClientOptions {
  /** The module; by default the one inside the package, or that of `init`. */
  readonly wasm?: WasmOption;
  /** The WebSocket class; by default the global one. Node 20 has none: pass that of the package `ws`. */
  readonly WebSocket?: new (address: string, protocols?: string[]) => object;
  /** false: connect when something is asked of the client. By default it connects at once. */
  readonly autoConnect?: boolean;
  /** true: send the token as the query parameter `token`, where logs see it. By default it is an offered subprotocol. */
  readonly tokenInQuery?: boolean;
  /**
   * Between which bounds the wait before a new attempt to connect grows, 500 ms and 20 s by default. It is drawn at random
   * below the bound that has been reached, so that clients that lost their server together do not come back together.
   */
  readonly backoff?: { readonly shortestMs: number; readonly longestMs: number };
  /** What one attempt to connect may take, the access token's time included; 10,000 ms by default. Infinity: no limit. */
  readonly connectTimeoutMs?: number;
  /**
   * How many changes of a state may be without a verdict, and how many bytes of JSON; 10,000 and 16 MiB by default. Further
   * ones wait, and show when there is room. More of them keep more edits while offline, and cost memory and replay.
   */
  readonly pendingLimit?: { readonly changes: number; readonly bytes: number };
}

/** The phases of a client. `waiting`: for the next attempt to connect. `failed` and `closed` are final. */
export type ConnectionPhase = 'idle' | 'loading' | 'connecting' | 'connected' | 'waiting' | 'closed' | 'failed';

/** A record of the connection, for people to see. It is another object whenever something in it has changed. */
export interface ConnectionStatus {
  readonly phase: ConnectionPhase;
  readonly connected: boolean;
  /** The server has welcomed the client at least once. */
  readonly everConnected: boolean;
  /** Attempts to connect since the last connection that lasted. */
  readonly attempt: number;
  /** When the next attempt is due, in milliseconds as of Date.now(); null: none is planned. */
  readonly nextRetryAt: number | null;
  /** Changes without a verdict, over all states. */
  readonly pending: number;
  /** Of the last change that was answered; null: none was. */
  readonly latencyMs: number | null;
  readonly lastError: SyncError | null;
}

/** Why a view changed. `catch-up`: several changes in one jump. */
export type UpdateOrigin = 'local' | 'remote' | 'rollback' | 'catch-up';

/** What a listener is told besides the values. */
export interface UpdateDetail {
  readonly origin: UpdateOrigin;
  /** The version that the server has confirmed. */
  readonly version: number;
  /** Those of the properties that are gone. */
  readonly removed: readonly string[];
}

/**
 * Updates of top-level properties, or a function of the present state that returns them. The function runs again when
 * another client changed what it has read, so it must have no effects of its own; without updates nothing is done. What it
 * is given is frozen: a write to it throws. What it throws is the cause of an error with the code `update_failed`.
 */
export type StateUpdate<S extends object> = Partial<S> | ((current: ReadMembers<S>) => Partial<S> | undefined);

/** A place in a state: names of members and indexes of elements. */
export type Path = readonly (string | number)[];

/** An operation of JSON Patch (RFC 6902), or increment. Its paths are JSON Pointers, such as `/messages/-`. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }
  | { readonly op: 'increment'; readonly path: string; readonly value: number };

/** The names of the properties of S that are strings. */
export type PropertyOf<S extends object> = keyof S & string;

/** The type of an array's elements. */
export type ElementOf<T> = NonNullable<T> extends readonly (infer E)[] ? E : unknown extends T ? unknown : never;

/** The properties of S that are numbers. */
export type NumberPropertyOf<S extends object> =
  { [K in PropertyOf<S>]: NonNullable<S[K]> extends number ? K : unknown extends S[K] ? K : never }[PropertyOf<S>];

/** The changes of a state. What they are given means what JSON.stringify makes of it: NaN and the infinities are null,
 * -0 is 0, what is undefined, a function or a symbol within a value is left out (null in an array), a Date is its text, and a BigInt or
 * a cycle is JSON.stringify's TypeError. Each resolves with the version that it made, or rejects with a {@link SyncError}; who does not
 * wait may ignore the Promise: a refusal reaches onError as well. */
export interface Changes<S extends object> {
  /**
   * Sets top-level properties. Of two writers of one property the last wins; given a function, nobody else's change is
   * lost, for it runs again on the newer state.
   *
   * ```ts
   * client.updateState({ topic: 'tea' })
   * client.updateState(current => ({ topic: current.topic + '!' }))
   * ```
   */
  updateState(updates: StateUpdate<S>): Promise<number>;
  /** Applies the operations, all or none. `client.patchState([{ op: 'add', path: '/messages/-', value: message }])` */
  patchState(operations: readonly PatchOperation[]): Promise<number>;
  /** Sets the value at a place. */
  set<K extends PropertyOf<S>>(place: K, value: S[K]): Promise<number>;
  set(place: Path, value: unknown): Promise<number>;
  /** Adds elements at the end of an array; concurrent appends never lose each other. */
  append<K extends PropertyOf<S>>(place: K, ...elements: ElementOf<S[K]>[]): Promise<number>;
  append(place: Path, ...elements: unknown[]): Promise<number>;
  /** Inserts elements before the one with the index. */
  insert<K extends PropertyOf<S>>(place: K, index: number, ...elements: ElementOf<S[K]>[]): Promise<number>;
  insert(place: Path, index: number, ...elements: unknown[]): Promise<number>;
  /** Adds to a number, 1 by default; concurrent increments add up. */
  increment<K extends NumberPropertyOf<S>>(place: K, by?: number): Promise<number>;
  increment(place: Path, by?: number): Promise<number>;
  /**
   * Removes a property, or the element at an index: `remove(['messages', 3])`. With an element, which is one of those in
   * getState(), it removes that one wherever it stands now, and rejects with `conflict` when it is gone: a stale render
   * never deletes the wrong row. Of texts and numbers, which are nobody's own, it removes the first that is equal.
   *
   * ```tsx
   * <button onClick={() => client.remove('messages', message)}>delete</button>
   * ```
   */
  remove<K extends PropertyOf<S>>(place: K, element?: ElementOf<S[K]>): Promise<number>;
  remove(place: Path, element?: unknown): Promise<number>;
}

/** The listeners of a state. A listener with the identifier of another replaces it. */
export interface Listeners<S extends object> {
  /**
   * Calls the listener with the new values of the properties that have changed and their values before, once for all
   * changes that came together. It hears of this client's own changes, too.
   *
   * ```ts
   * client.addStateUpdateListener('chat', (updates, previous) => show(updates.messages), ['messages'])
   * ```
   */
  addStateUpdateListener<K extends PropertyOf<S>>(
    listenerIdentifier: string, listener: (newUpdates: ReadMembers<Pick<S, K>>, previousValuesOfUpdatedProperties: ReadMembers<Pick<S, K>>, detail: UpdateDetail) => void,
    properties: readonly [K]): void;
  addStateUpdateListener<K extends PropertyOf<S>>(
    listenerIdentifier: string, listener: (newUpdates: ReadMembers<Partial<Pick<S, K>>>, previousValuesOfUpdatedProperties: ReadMembers<Partial<Pick<S, K>>>, detail: UpdateDetail) => void,
    properties: readonly K[]): void;
  addStateUpdateListener(
    listenerIdentifier: string, listener: (newUpdates: ReadMembers<Partial<S>>, previousValuesOfUpdatedProperties: ReadMembers<Partial<S>>, detail: UpdateDetail) => void): void;
  /** Reports whether the listener was there. */
  removeStateUpdateListener(listenerIdentifier: string): boolean;
}

/** A store as zustand's `useStore` and React's `useSyncExternalStore` take one. The functions are bound. */
export interface Store<S extends object> {
  /**
   * The state as this client sees it, with its own changes. It is another object after a change, and what did not change is
   * the same. Until the state is connected it is `initialState`, and without one an empty object, whatever S says.
   */
  readonly getState: () => ReadMembers<S>;
  /** The state before it was connected: `initialState`, or an empty object. */
  readonly getInitialState: () => ReadMembers<S>;
  /** Calls the listener after every change, and when the state is connected or over; returns what ends this. */
  readonly subscribe: (listener: (state: ReadMembers<S>, previous: ReadMembers<S>) => void) => () => void;
}

/**
 * A state that the client is connected to, as long as the handle is not left. Handles of one state share it. A handle
 * connects when something is asked of it: ready, subscribe, a listener or a change.
 *
 * ```ts
 * using game = client.state<Game>('game-7')
 * await game.ready()
 * ```
 */
export interface State<S extends object = AnyState> extends Changes<S>, Listeners<S>, Store<S> {
  readonly identifier: string;
  /** `idle`: nothing was asked of it yet. `ended`: left, or ended by the server; see error. */
  readonly status: 'idle' | 'joining' | 'joined' | 'ended';
  /** Why the state has ended or could not be connected to. */
  readonly error: SyncError | null;
  /** How many changes the state has accepted, as far as this client was told. */
  readonly version: number;
  /** Resolves with the state's value when it is there; rejects once the state has ended. */
  ready(): Promise<ReadMembers<S>>;
  /** Gives the handle up. The last one of a state ends the connection to it; changes without a verdict reject. */
  leave(): void;
  [Symbol.dispose](): void;
}

/** Options of {@link Client.state}. */
export interface StateOptions<S extends object> {
  /** What getState() returns until the state is connected. */
  readonly initialState?: S;
}

/**
 * A client of one server. The methods that act on a state act on the one that was connected last by connectToState; the
 * others stay connected. Use {@link Client.state} for several states.
 */
export interface Client<S extends object = AnyState> extends Changes<S>, Listeners<S>, Store<S> {
  /** Resolves when the client is connected, which may take any number of attempts; rejects when it was closed or has failed for good. */
  onConnection(): Promise<void>;
  /** Connects to a state and resolves with its value. */
  connectToState(stateIdentifier: string): Promise<ReadMembers<S>>;
  /** A handle of a state; see {@link State}. */
  state<T extends object = S>(stateIdentifier: string, options?: StateOptions<T>): State<T>;
  /** Resolves with the oldest error that nobody was told of. */
  onError(): Promise<SyncError>;
  /** Calls the listener with every error; returns what ends this. */
  onError(listener: (error: SyncError) => void): () => void;
  /** The status of the connection. */
  readonly status: ConnectionStatus;
  /** Calls the listener when the status has changed; returns what ends this. */
  readonly onStatus: (listener: (status: ConnectionStatus) => void) => () => void;
  /** Connects, where `autoConnect: false` has put it off. */
  connect(): void;
  /**
   * Ends the client; resolves when all changes have their verdict. Whatever is asked of it from now on rejects at once with
   * the code `closed`. Listeners may still be added and removed, as components do that go later, and are never called.
   */
  close(): Promise<void>;
  [Symbol.dispose](): void;
}

/** The class of {@link Client}. */
export interface ClientConstructor {
  /**
   * Makes a client, which begins to connect at once and loads its WebAssembly module first.
   *
   * @param endpoint the server's address, such as `wss://example.com`
   * @param clientIdentifier names this client to the server
   * @throws SyncError with the code `invalid_argument`
   */
  new <S extends object = AnyState>(
    endpoint: string | { readonly href: string }, clientIdentifier: string, accessToken?: AccessToken, options?: ClientOptions): Client<S>;
  readonly prototype: Client;
}
