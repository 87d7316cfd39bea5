import { makeGo, type Go } from 'virtual:wasm-exec';
import { hasOwn } from './apply.js';
import type { Follower, RawClient } from './bridge.js';
import { SyncError, textOf } from './errors.js';
import type { WasmOption, WasmSource } from './types.js';

// Everything is looked up when it is used, by a name that no bundler sees, and nothing is written to globalThis.
const page = globalThis as unknown as Record<PropertyKey, unknown>;

/** A module of Node, Bun or Deno; undefined elsewhere. Test runners' pages lack what browsers and Node have. */
export function builtin(name: string): Record<string, unknown> | undefined {
  const process = page['process'] as { getBuiltinModule?: (name: string) => Record<string, unknown> | undefined } | undefined;
  return process?.getBuiltinModule?.(name);
}

const compiled = new Map<unknown, Promise<WebAssembly.Module>>();

/** Compiles the module once per page; a failed attempt may be repeated. */
export function compile(source: WasmOption): Promise<WebAssembly.Module> {
  let module = compiled.get(source);
  if (!module) {
    module = compileAnew(source);
    compiled.set(source, module);
    module.catch(() => compiled.delete(source));
  }
  return module;
}

async function compileAnew(option: WasmOption): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== 'object') {
    throw new SyncError('wasm_load', 'There is no WebAssembly here, as in React Native, and the client needs it.');
  }
  try {
    const source: WasmSource = await (typeof option === 'function' ? (option as () => WasmSource | Promise<WasmSource>)() : option);
    return await compileSource(source);
  } catch (error) {
    if (error instanceof SyncError) throw error;
    throw new SyncError('wasm_load', advice(textOf(error)), error);
  }
}

function advice(text: string): string {
  if (/content.security.policy|unsafe-eval|code generation/i.test(text)) {
    return `The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src. (${text})`;
  }
  return `The WebAssembly module could not be loaded: ${text}`;
}

async function compileSource(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
  if (typeof source === 'string' || 'href' in source) {
    const address = typeof source === 'string' ? source : String((source as { href: unknown }).href);
    return compileResponse(await fetch(address), address);
  }
  if ('arrayBuffer' in source) return compileResponse(source as Response, 'the Response');
  if (Object.prototype.toString.call(source) === '[object ArrayBuffer]') return WebAssembly.compile(source as ArrayBuffer); // of another realm
  return source as WebAssembly.Module;
}

async function compileResponse(response: Response, address: string): Promise<WebAssembly.Module> {
  if (response.ok === false) throw new Error(`${address} answers with status ${response.status}`);
  const streamed = response.headers?.get('content-type') ?? '';
  if (/^application\/wasm($|;)/i.test(streamed) && typeof WebAssembly.compileStreaming === 'function' && response instanceof Response) {
    return WebAssembly.compileStreaming(response);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0 || bytes[1] !== 0x61) {
    const what = bytes[0] === 0x3c ? 'HTML, so the server has another file at this path' : 'something else';
    throw new Error(`${address} is no WebAssembly module but ${what}`);
  }
  return WebAssembly.compile(bytes);
}

/** Decompresses the module inside the package, where it is compressed. */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f) return bytes;
  const zlib = builtin('node:zlib') as { gunzipSync(bytes: Uint8Array): Uint8Array } | undefined;
  if (zlib) return zlib.gunzipSync(bytes);
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const reader = stream.readable.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  await written;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What the Go program sees as its globalThis: the page's, but what the program sets stays with it. */
function scopeOf(own: Record<PropertyKey, unknown>): object {
  const util = builtin('node:util');
  own['TextEncoder'] = page['TextEncoder'] ?? util?.['TextEncoder'];
  own['TextDecoder'] = page['TextDecoder'] ?? util?.['TextDecoder'];
  own['crypto'] = page['crypto'] ?? builtin('node:crypto')?.['webcrypto'];
  own['performance'] = page['performance'] ?? { now: () => Date.now() };
  const hidden = new Set<PropertyKey>(['fs', 'process', 'path', 'Go', 'serverStateSyncHost']);
  return new Proxy(own, {
    get: (target, key) => {
      if (key in target) return target[key];
      if (hidden.has(key)) return undefined;
      const value = page[key];
      // A function of the page, such as addEventListener, is called on the page; a class is left as it is.
      return typeof value === 'function' && !hasOwn(value, 'prototype') ? (value as () => unknown).bind(page) : value;
    },
    has: (target, key) => key in target || (!hidden.has(key) && key in page),
  });
}

/** What the program exports beside what wasm_exec.js needs; internal/transport/feed_js.go says how it is used. */
interface Exports {
  readonly mem: WebAssembly.Memory;
  serverStateSyncRoom(size: number): number;
  serverStateSyncFrame(number: number, size: number): void;
}

/** Makes the two functions by which the frames of WebSockets cross to the program, and its texts to their followers: by its
 * memory, not by js.Funcs and strings that Go must keep account of. fail is told of a trap. */
function crossing(program: Go, exports: Exports, encoder: TextEncoder, decoder: TextDecoder, fail: (error: unknown) => void) {
  /** Writes the text as UTF-8 into the program's memory, if that many bytes are enough. */
  const write = (text: string, most: number): number | undefined => {
    const at = exports.serverStateSyncRoom(most) >>> 0; // WebAssembly knows no unsigned integers, and memory may be larger than 2 GiB
    if (at === 0) return -1; // it is longer than any frame may be
    const { read, written } = encoder.encodeInto(text, new Uint8Array(exports.mem.buffer, at, most));
    return read === text.length ? written : undefined;
  };
  const frame = (number: number, text: string): void => {
    if (program.exited) return;
    try {
      const size = write(text, text.length) ?? write(text, 3 * text.length) ?? 0;
      exports.serverStateSyncFrame(number, size);
    } catch (error) {
      return fail(error);
    }
    queueMicrotask(() => program._resume()); // what the frame has made ready runs now, after the listeners
  };
  return {
    feed: (socket: WebSocket, number: number, other: (event: MessageEvent) => void): void => {
      socket.onmessage = (event: MessageEvent<unknown>) => {
        if (typeof event.data === 'string') frame(number, event.data);
        else other(event);
      };
    },
    tell: (follower: Follower, at: number, size: number, origin: string, version: number): void =>
      follower(decoder.decode(new Uint8Array(exports.mem.buffer, at, size)), origin, version),
  };
}

/** A running Go program with its one client. */
export interface Running {
  readonly client: RawClient;
  /** Resolves with Go's last words when the program has ended, which it does not do by itself. */
  readonly ended: Promise<string>;
}

/** Runs the program with the client's arguments; it throws what Go says of wrong ones. */
export async function run(module: WebAssembly.Module, args: readonly unknown[], socket: unknown): Promise<Running> {
  let client: RawClient | Error | undefined;
  let words = '';
  const own: Record<PropertyKey, unknown> = Object.create(null) as Record<PropertyKey, unknown>;
  if (socket) own['WebSocket'] = socket;
  own['serverStateSyncHost'] = { arguments: args, ready: (made: RawClient | Error) => { client = made; } };
  const scope = scopeOf(own);
  const decoder = new (own['TextDecoder'] as typeof TextDecoder)();
  const program = new (makeGo(scope))();
  (own['fs'] as { writeSync: unknown }).writeSync = (_: number, text: Uint8Array): number => {
    words = (words + decoder.decode(text)).slice(-8192);
    return text.length;
  };
  // A program that has ended is not woken again: its timers would wait for ever for what they are to wake.
  const stop = (): void => {
    for (const timer of program._scheduledTimeouts.values()) clearTimeout(timer);
    program._scheduledTimeouts.clear();
  };
  program.exit = stop;
  const instance = await WebAssembly.instantiate(module, program.importObject);
  const ended = new Promise<string>((resolve) => {
    const resume = program._resume;
    const fail = (error: unknown): void => { // a trap, or the program has exited
      stop();
      resolve(words + textOf(error));
    };
    const encoder = new (own['TextEncoder'] as typeof TextEncoder)();
    const { feed, tell } = crossing(program, instance.exports as unknown as Exports, encoder, decoder, fail);
    own['serverStateSyncFeed'] = feed;
    own['serverStateSyncTell'] = tell;
    program._resume = () => {
      try {
        resume.call(program);
      } catch (error) {
        fail(error);
      }
    };
    program.run(instance).then(() => resolve(words), (error: unknown) => resolve(words + textOf(error)));
  });
  if (!client) throw new SyncError('wasm_load', 'The module is not that of this package, or has crashed: ' + (await Promise.race([ended, ''])));
  if (client instanceof Error || (client as unknown as Error).name === 'SyncError') throw client;
  return { client: client as RawClient, ended };
}
