'use client';
import {
  createContext, createElement, useCallback, useContext, useEffect, useId, useMemo, useRef, useState, useSyncExternalStore,
  type Context, type ReactNode,
} from 'react';
import { Client, type AnyState } from './index.js';
import { idleStatus } from './client.js';
import { SyncError } from './errors.js';
import { hold, prefetch, type Released } from './hold.js';
import type { AnyStateProviderProps, CreateSyncHooks, Mutation, Setter, SuspenseHooks, SyncHooks, SyncProviderProps } from './react-types.js';
import type { Client as ClientType, ConnectionStatus, PropertyOf, Read, ReadMembers, State, StateUpdate } from './types.js';

export type * from './react-types.js';

const ClientContext = createContext<ClientType | null>(null);

/** A thing that lives as long as the component: made in render, begun and ended by effects, and made anew when the
 * component comes back after its end. */
function useOwned<T extends object>(make: () => T, released: Released<T> | null, keys: readonly unknown[]): T {
  const [life, setLife] = useState(0);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const made = useMemo(make, [life, ...keys]);
  useEffect(() => {
    if (!released) return undefined;
    const release = hold(made, released);
    if (!release) setLife((lives) => lives + 1);
    return release;
  }, [made, released]);
  return made;
}

const closing: Released<ClientType> = { begin: (client) => client.connect(), end: (client) => void client.close() };
const leaving: Released<{ leave(): void }> = { begin: () => undefined, end: (state) => state.leave() };

function SyncProvider(props: SyncProviderProps): ReactNode {
  const latest = useRef(props);
  latest.current = props;
  const given = props.client;
  const [endpoint, clientIdentifier] = props.client ? [] : [props.endpoint, props.clientIdentifier];
  const client = useOwned<ClientType>(
    () => given ?? new Client(endpoint as string, clientIdentifier as string, async () => {
      const token = latest.current.client ? undefined : latest.current.accessToken;
      return typeof token === 'function' ? token() : token;
    }, { ...(latest.current.client ? {} : latest.current.options), autoConnect: false }),
    given ? null : closing, [given, endpoint, clientIdentifier]);
  return createElement(ClientContext.Provider, { value: client }, props.children);
}

function useClient(): ClientType {
  const client = useContext(ClientContext);
  if (!client) throw new SyncError('invalid_argument', 'There is no SyncProvider above this component.');
  return client;
}

function useConnectionStatus(): ConnectionStatus {
  const client = useClient();
  return useSyncExternalStore(client.onStatus, () => client.status, () => idleStatus);
}

/** The selection of the state's value; it stays the same object where isEqual says so. */
function useSelection<S extends object, R>(handle: State<S>, selector: (state: ReadMembers<S>) => R, isEqual: (previous: R, next: R) => boolean): R {
  const shown = useRef<{ value: R } | null>(null);
  const [now, initially] = useMemo(() => {
    const memo = (read: () => ReadMembers<S>): (() => R) => {
      let state: ReadMembers<S> | undefined, selection: { value: R } | undefined;
      return () => {
        const next = read();
        if (selection && state === next) return selection.value;
        const value = selector(next), known = selection ?? shown.current;
        selection = known && isEqual(known.value, value) ? known : { value };
        state = next;
        return selection.value;
      };
    };
    return [memo(handle.getState), memo(handle.getInitialState)];
  }, [handle, selector, isEqual]);
  const value = useSyncExternalStore(handle.subscribe, now, initially);
  useEffect(() => { shown.current = { value }; }, [value]);
  return value;
}

function useProperty<S extends object, K extends PropertyOf<S>>(handle: State<S>, property: K, fallback: S[K] | undefined): readonly [Read<S[K]>, Setter<S[K]>] {
  const value = useSyncExternalStore(handle.subscribe, () => handle.getState()[property], () => handle.getInitialState()[property]);
  const missing = useRef(fallback);
  missing.current = fallback;
  const set = useCallback<Setter<S[K]>>((next) => handle.updateState((typeof next === 'function'
    ? (current: ReadMembers<S>) => ({ [property]: (next as (previous: unknown) => unknown)(current[property] ?? missing.current) })
    : { [property]: next }) as unknown as StateUpdate<S>), [handle, property]);
  return [(value ?? fallback) as Read<S[K]>, set];
}

const whole = <T>(state: T): T => state;

/** Makes the hooks for states of one shape. */
export const createSyncHooks: CreateSyncHooks = <S extends object = AnyState>(): SyncHooks<S> => {
  const StateContext: Context<State<S> | null> = createContext<State<S> | null>(null);

  const useHandle = (): State<S> => {
    const handle = useContext(StateContext);
    if (!handle) throw new SyncError('invalid_argument', 'There is no StateProvider above this component.');
    return handle;
  };

  const useStateStatus: SyncHooks<S>['useStateStatus'] = () => {
    const handle = useHandle();
    const status = useSyncExternalStore(handle.subscribe, () => handle.status, () => 'idle' as const);
    const error = useSyncExternalStore(handle.subscribe, () => handle.error, () => null);
    return { status: status === 'joined' ? 'ready' : status === 'ended' ? 'error' : 'loading', error };
  };

  const StateProvider = (props: AnyStateProviderProps<S>): ReactNode => {
    const client = useClient();
    const initial = useRef(props.initialState);
    const handle = useOwned<State<S>>(
      () => client.state<S>(props.state, initial.current ? { initialState: initial.current } : {}), leaving, [client, props.state]);
    return createElement(StateContext.Provider, { value: handle }, createElement(Shown, props));
  };

  /** The children, or the fallback while there is nothing to show. */
  const Shown = ({ children, fallback }: AnyStateProviderProps<S>): ReactNode => {
    const { status, error } = useStateStatus();
    if (fallback === undefined || status === 'ready') return children;
    if (error && error.code !== 'closed') throw error; // what this page has left or closed itself is no failure
    return fallback;
  };

  const reader = (useRead: () => State<S>): SuspenseHooks<S>['useSharedState'] =>
    ((property?: PropertyOf<S>, fallback?: S[PropertyOf<S>]) => {
      const handle = useRead();
      // Which of the two it is does not change: a component gives a property, or none.
      return property === undefined
        ? [useSelection(handle, whole, Object.is), useCallback((updates: StateUpdate<S>) => handle.updateState(updates), [handle])]
        : useProperty(handle, property, fallback);
    }) as SuspenseHooks<S>['useSharedState'];

  const useReady = (): State<S> => {
    const client = useClient(), handle = useHandle();
    if (handle.status === 'ended') throw handle.error;
    if (handle.status !== 'joined') {
      if (typeof document === 'undefined') throw new SyncError('invalid_argument', 'The suspense hooks read a connected state, which there is in the browser only.');
      throw prefetch(client, handle);
    }
    return handle;
  };

  const useMutation = <A extends readonly unknown[]>(change: (current: ReadMembers<S>, ...args: A) => Partial<S> | undefined): Mutation<A> => {
    const handle = useHandle();
    const latest = useRef(change);
    latest.current = change;
    const [pending, setPending] = useState(0);
    const [error, setError] = useState<unknown>(null);
    const mutate = useCallback((...args: A): Promise<number> => {
      const run = latest.current;
      const verdict = handle.updateState((current) => run(current, ...args));
      setPending((count) => count + 1);
      const settled = (refusal: unknown): void => {
        setPending((count) => count - 1);
        setError(refusal);
      };
      verdict.then(() => settled(null), settled);
      return verdict;
    }, [handle]);
    return useMemo(() => Object.assign((...args: A) => mutate(...args), { pending, error }), [mutate, pending, error]);
  };

  const useStateUpdateListener: SyncHooks<S>['useStateUpdateListener'] = (properties, listener) => {
    const handle = useHandle(), identifier = useId();
    const latest = useRef(listener);
    useEffect(() => { latest.current = listener; });
    const names = JSON.stringify(properties);
    useEffect(() => {
      handle.addStateUpdateListener(
        identifier, (updates, previous, detail) => latest.current(updates as never, previous as never, detail), JSON.parse(names) as PropertyOf<S>[]);
      return () => void handle.removeStateUpdateListener(identifier);
    }, [handle, identifier, names]);
  };

  return {
    SyncProvider, StateProvider, useConnectionStatus, useStateStatus, useMutation, useStateUpdateListener,
    useStateHandle: useHandle,
    useSyncClient: () => useClient() as unknown as ClientType<S>,
    useSharedState: reader(useHandle) as SyncHooks<S>['useSharedState'],
    useSelector: (selector, isEqual = Object.is) => useSelection(useHandle(), selector, isEqual),
    useUpdateState: () => {
      const handle = useHandle();
      return useCallback((updates: StateUpdate<S>) => handle.updateState(updates), [handle]);
    },
    suspense: {
      StateProvider,
      useSharedState: reader(useReady),
      useSelector: (selector, isEqual = Object.is) => useSelection(useReady(), selector, isEqual),
    },
  };
};

/** Reports whether two arrays or objects have the same members, by Object.is; an isEqual for useSelector. */
export function shallow<T>(a: T, b: T): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a) as (keyof T)[];
  return keys.length === Object.keys(b).length && keys.every((key) => Object.prototype.hasOwnProperty.call(b, key) && Object.is(a[key], b[key]));
}

const untyped: SyncHooks<AnyState> = /* @__PURE__ */ createSyncHooks<AnyState>();
export { SyncProvider };
export const StateProvider: SyncHooks<AnyState>['StateProvider'] = untyped.StateProvider;
export const useSyncClient: SyncHooks<AnyState>['useSyncClient'] = untyped.useSyncClient;
export const useStateHandle: SyncHooks<AnyState>['useStateHandle'] = untyped.useStateHandle;
export const useSharedState: SyncHooks<AnyState>['useSharedState'] = untyped.useSharedState;
export const useSelector: SyncHooks<AnyState>['useSelector'] = untyped.useSelector;
export const useUpdateState: SyncHooks<AnyState>['useUpdateState'] = untyped.useUpdateState;
export const useMutation: SyncHooks<AnyState>['useMutation'] = untyped.useMutation;
export const useStateStatus: SyncHooks<AnyState>['useStateStatus'] = untyped.useStateStatus;
export const useStateUpdateListener: SyncHooks<AnyState>['useStateUpdateListener'] = untyped.useStateUpdateListener;
export const suspense: SyncHooks<AnyState>['suspense'] = untyped.suspense;
export { useConnectionStatus };
