// Loads a page's WebAssembly module, and shows how far it is.

/** Fetches the module that the page names in its head, and returns its bytes as they arrive. */
export async function fetchModule(): Promise<Response> {
  const link = document.querySelector<HTMLLinkElement>('#module');
  if (!link) throw new Error('the page names no module');
  const response = await fetch(link.href, { credentials: 'same-origin' });
  if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
  let loaded = 0;
  const total = Number(link.dataset['bytes']);
  const counted = response.body.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      loaded += chunk.length;
      show(Math.min(100, Math.round(100 * loaded / total)));
      controller.enqueue(chunk);
    },
  }));
  return new Response(counted, { headers: { 'Content-Type': 'application/wasm' } });
}

function show(percent: number): void {
  const text = document.querySelector('#progress'), bar = document.querySelector<HTMLProgressElement>('#bar');
  if (text) text.textContent = `${percent} %`;
  if (bar) bar.value = percent;
}

/** Takes the loading sign away. */
export function loaded(): void {
  document.querySelector('#loading')?.remove();
}

/** Shows why the module could not be loaded. */
export function notLoaded(error: unknown): void {
  const sign = document.querySelector('#loading');
  if (sign) sign.textContent = `The page could not be loaded: ${error instanceof Error ? error.message : String(error)}. Load it again.`;
}
