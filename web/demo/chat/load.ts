// Starts the Go page: loads its module with progress and runs it. Go's own wasm_exec.js has run before.
import { MeteredWebSocket, meter } from '../react/meter.js';
import { fetchModule, loaded, notLoaded } from '../react/module.js';

declare class Go {
  readonly importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

// Every link that is no room of this page is left to the browser; go-app asks by this name.
const outside = JSON.stringify([`${location.origin}/react/`, `${location.origin}/?`]);
const names: Record<string, string> = { GOAPP_INTERNAL_URLS: outside };

Object.assign(globalThis, {
  WebSocket: MeteredWebSocket, // the Go client takes the page's
  chatMeter: meter,
  goappGetenv: (name: string) => names[name] ?? '',
});

try {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetchModule(), go.importObject);
  loaded();
  await go.run(instance);
} catch (error) {
  notLoaded(error);
}
