import made from 'virtual:version';
import { SyncClient } from './client.js';
import { SyncError as OwnError } from './errors.js';
import { compile } from './load.js';
import type { AnyState, Client as ClientType, ClientConstructor, SyncError as SyncErrorType, SyncErrorConstructor, WasmOption } from './types.js';

export type * from './types.js';

/** The version of this package. */
export const version: string = made;

let chosen: WasmOption = () => {
  throw new OwnError('wasm_load', 'server-state-sync/slim has no module inside: call init(source), or give options.wasm.');
};

/** Sets the WebAssembly module that clients use, such as the address of `server-state-sync/client.wasm`, and loads it. */
export function init(source: WasmOption): Promise<void> {
  chosen = source;
  return compile(source).then(() => undefined);
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
