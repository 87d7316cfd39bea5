import type { SyncError as SyncErrorType, SyncErrorCode } from './types.js';

/** An error with a code. */
export class SyncError extends Error implements SyncErrorType {
  static override readonly name = 'SyncError'; // the build shortens that of the class, and consoles show it
  override readonly name = 'SyncError';
  readonly code: SyncErrorCode;
  override readonly cause?: unknown;

  constructor(code: SyncErrorCode, message: string, cause?: unknown) {
    super(message);
    this.code = code;
    if (cause !== undefined) this.cause = cause;
  }
}

/** Makes a SyncError of one that came from Go, which has the same name, and leaves others as they are. */
export function fromGo(error: unknown): unknown {
  try {
    if (!isObject(error) || error['name'] !== 'SyncError' || error instanceof SyncError) return error;
    return new SyncError((error['code'] ?? 'unknown') as SyncErrorCode, String(error['message']), error['cause']);
  } catch { // it throws when it is looked at
    return new SyncError('unknown', 'What was thrown cannot be looked at.', error);
  }
}

/** fromGo for what must be a SyncError in the end. */
export function toSyncError(error: unknown, code: SyncErrorCode): SyncError {
  const made = fromGo(error);
  return made instanceof SyncError ? made : new SyncError(code, textOf(made), made);
}

/** The text of anything thrown, which may throw itself. */
export function textOf(error: unknown): string {
  try {
    return isObject(error) && typeof error['message'] === 'string' ? error['message'] : String(error);
  } catch {
    return 'a value that has no text';
  }
}

export function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

export function invalid(message: string): SyncError {
  return new SyncError('invalid_argument', message);
}

/** Adds a listener, which may be there more than once, and returns what takes it away. */
export function listen<A extends unknown[]>(listeners: Set<(...args: A) => void>, method: string, listener: (...args: A) => void): () => void {
  if (typeof listener !== 'function') throw invalid(`${method} takes a function`);
  const own = (...args: A): void => listener(...args);
  listeners.add(own);
  return () => void listeners.delete(own);
}

const nothing = (): void => undefined;

/**
 * A Promise that may be ignored: where it rejects, what was made of it by `then` without a second function is no
 * unhandled rejection either. An error that the function itself throws is one as ever.
 */
export class Quiet<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Somebody handles a rejection. */
  heeded = false;

  constructor(executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: unknown) => void) => void) {
    super(executor);
    super.then(undefined, nothing);
  }

  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null, rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<A | B> {
    const made = super.then(fulfilled, rejected);
    if (rejected) this.heeded = true;
    else super.then(undefined, () => { made.catch(nothing); });
    return made;
  }
}
