import { SyncError } from './errors.js';
import { builtin } from './load.js';

// What inline.ts is for ES modules: the module, read from the file beside this one. CommonJS runs where there are files.
declare const __dirname: string;

function read(): Uint8Array {
  const files = builtin('node:fs') as { readFileSync(path: string): Uint8Array } | undefined;
  if (!files) throw new SyncError('wasm_load', 'The CommonJS form of server-state-sync needs Node: import it as an ES module, or use server-state-sync/slim.');
  return files.readFileSync(`${__dirname}/client.wasm`);
}

export default read();
