import type { ReactNode } from 'react';
import type {
  AccessToken, AnyState, Client, ClientOptions, ConnectionStatus, PropertyOf, Read, ReadMembers, State, StateUpdate, SyncError, UpdateDetail,
} from './types.js';

/** Sets a property, to a value or to what a function makes of the present one. */
export type Setter<T> = (next: T | ((previous: Read<T>) => T)) => Promise<number>;

/** Either a client of one's own, which is not closed, or what to make one of, which is closed with the provider. */
export type SyncProviderProps = { readonly children?: ReactNode } & (
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a client of any shape: an interface has no index signature
  | { readonly client: Client<any> }
  | {
    readonly client?: undefined;
    readonly endpoint: string;
    readonly clientIdentifier: string;
    /** The newest one is asked at every attempt to connect. */
    readonly accessToken?: AccessToken;
    readonly options?: Omit<ClientOptions, 'autoConnect'>;
  });

/** A state for everything below. */
export interface AnyStateProviderProps<S extends object> {
  readonly children?: ReactNode;
  /** The state's identifier. */
  readonly state: string;
  /** What is shown until the state is connected, also by the server. */
  readonly initialState?: S;
  /**
   * Shown in place of the children until the state is connected. Where it cannot be, or when it has ended, the error is
   * thrown, so that an error boundary above shows it. Without a fallback useStateStatus has the error.
   */
  readonly fallback?: ReactNode;
}

/**
 * A state for everything below. What the hooks read is typed as a whole state, so there must be one from the beginning:
 * give initialState, or a fallback, which keeps the children away. A shape without required properties needs neither.
 */
export type StateProviderProps<S extends object> = AnyStateProviderProps<S> & (
  Partial<S> extends S ? unknown : { readonly initialState: S } | { readonly fallback: ReactNode });

/** A function that changes the state, and what became of its last calls. */
export interface Mutation<A extends readonly unknown[]> {
  (...args: A): Promise<number>;
  /** Calls without a verdict. */
  readonly pending: number;
  /** Why the last call was refused; null: it was not. */
  readonly error: unknown;
}

/** Readers that suspend until the state is connected, below a Suspense. On the server they leave it to the browser. */
export interface SuspenseHooks<S extends object> {
  /** The same provider, for children that read by these hooks: it needs neither initialState nor fallback. */
  StateProvider(props: AnyStateProviderProps<S>): ReactNode;
  useSharedState(): readonly [ReadMembers<S>, (updates: StateUpdate<S>) => Promise<number>];
  useSharedState<K extends PropertyOf<S>>(property: K): readonly [Read<S[K]>, Setter<S[K]>];
  useSelector<R>(selector: (state: ReadMembers<S>) => R, isEqual?: (previous: R, next: R) => boolean): R;
}

/**
 * The hooks for states of one shape.
 *
 * ```tsx
 * export const { StateProvider, useSharedState } = createSyncHooks<Chat>()
 *
 * <SyncProvider endpoint="ws://localhost:5000" clientIdentifier="me">
 *   <StateProvider state="chat" initialState={{ messages: [] }}><Messages /></StateProvider>
 * </SyncProvider>
 *
 * const [topic, setTopic] = useSharedState('topic')
 * ```
 */
export interface SyncHooks<S extends object> {
  /** The connection for everything below; hooks of every shape share it. */
  SyncProvider(props: SyncProviderProps): ReactNode;
  StateProvider(props: StateProviderProps<S>): ReactNode;
  /** The client of the SyncProvider above. */
  useSyncClient(): Client<S>;
  /** The handle of the StateProvider above. */
  useStateHandle(): State<S>;
  /** The whole state; every change renders. */
  useSharedState(): readonly [ReadMembers<S>, (updates: StateUpdate<S>) => Promise<number>];
  /** One property, as useState has it; only its own changes render. */
  useSharedState<K extends PropertyOf<S>>(property: K): readonly [Read<S[K]>, Setter<S[K]>];
  /** One property, with a value for while it is not there. */
  useSharedState<K extends PropertyOf<S>>(property: K, fallback: NonNullable<S[K]>): readonly [Read<NonNullable<S[K]>>, Setter<NonNullable<S[K]>>];
  /** What the selector makes of the state; renders when that is another, by Object.is or as isEqual says. */
  useSelector<R>(selector: (state: ReadMembers<S>) => R, isEqual?: (previous: R, next: R) => boolean): R;
  useUpdateState(): (updates: StateUpdate<S>) => Promise<number>;
  /** A change as a function: `const rename = useMutation((current, name: string) => ({ name }))`. It runs again when others changed what it has read. */
  useMutation<A extends readonly unknown[]>(change: (current: ReadMembers<S>, ...args: A) => Partial<S> | undefined): Mutation<A>;
  useStateStatus(): { readonly status: 'loading' | 'ready' | 'error'; readonly error: SyncError | null };
  useConnectionStatus(): ConnectionStatus;
  /** Calls the newest listener as addStateUpdateListener does; no properties are all. */
  useStateUpdateListener<K extends PropertyOf<S>>(
    properties: readonly K[], listener: (updates: ReadMembers<Partial<Pick<S, K>>>, previous: ReadMembers<Partial<Pick<S, K>>>, detail: UpdateDetail) => void): void;
  readonly suspense: SuspenseHooks<S>;
}

/** Makes the hooks for states of the shape S, with a context of their own. */
export type CreateSyncHooks = <S extends object = AnyState>() => SyncHooks<S>;
