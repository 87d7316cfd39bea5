// What a page's WebSockets carry. The pages give the client this class in the place of the browser's own; nothing else of
// them knows it.

export const meter = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0, cut };

const open = new Set<WebSocket>();

/** Closes the connections that there are, as a lost network would. */
function cut(): void {
  for (const socket of open) socket.close();
}

// A page that is left may be kept to come back to; its connection is not, and the client makes another one then.
addEventListener('pagehide', cut);

/** The messages of a frame stand on lines of their own. */
function lines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < text.length - 1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

const encoder = new TextEncoder();

function count(frame: unknown, way: 'In' | 'Out'): void {
  const text = typeof frame === 'string' ? frame : '';
  meter[`bytes${way}`] += text ? encoder.encode(text).length : 0;
  meter[`messages${way}`] += text ? lines(text) : 0;
}

export class MeteredWebSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols);
    this.addEventListener('open', () => open.add(this));
    this.addEventListener('close', () => open.delete(this));
    this.addEventListener('message', (event) => count(event.data, 'In'));
  }

  override send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>): void {
    count(data, 'Out');
    super.send(data as string);
  }
}
