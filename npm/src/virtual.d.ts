// Made by the build program (npm/build): Go's wasm_exec.js in a scope of its own, and the module, compressed.

declare module 'virtual:wasm-exec' {
  export interface Go {
    readonly importObject: WebAssembly.Imports;
    exit: (code: number) => void;
    _resume: () => void;
    readonly exited: boolean;
    readonly _scheduledTimeouts: Map<number, number>;
    run(instance: WebAssembly.Instance): Promise<void>;
  }
  export function makeGo(globalThis: object): new () => Go;
}

declare module 'virtual:wasm-inline' {
  const gzipped: Uint8Array;
  export default gzipped;
}

declare module 'virtual:version' {
  const version: string;
  export default version;
}
