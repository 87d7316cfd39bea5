import made from 'virtual:version';
import { SyncClient } from './client.js';
import { SyncError as OwnError } from './errors.js';
import { compile, gunzip } from './load.js';
import type { AnyState, Client as ClientType, ClientConstructor, SyncError as SyncErrorType, SyncErrorConstructor, WasmOption } from './types.js';

export type * from './types.js';

/** The version of this package. */
export const version: string = made;

/** The module inside this package, loaded when it is needed first; beside.ts does it for CommonJS. */
const inline = async (): Promise<Uint8Array> => gunzip((await import('./inline.js')).default);
let chosen: WasmOption = inline;

/**
 * Loads the WebAssembly module before the first client needs it; it need not be called. Given a source, clients use that
 * one in place of the module inside the package.
 */
export function init(source?: WasmOption): Promise<void> {
  if (source !== undefined) chosen = source;
  return compile(chosen).then(() => undefined);
}

/** A client of one server. */
export const Client = class extends SyncClient {
  static override readonly name = 'Client'; // the build shortens that of the class, and consoles show it

  constructor(endpoint: unknown, clientIdentifier: unknown, accessToken?: unknown, options?: unknown) {
    super(endpoint, clientIdentifier, accessToken, options, () => chosen);
  }
} as unknown as ClientConstructor;
/** A client of one server. */
export type Client<S extends object = AnyState> = ClientType<S>;

/** An error with a code. */
export const SyncError: SyncErrorConstructor = OwnError;
/** An error with a code. */
export type SyncError = SyncErrorType;
