// Under Node, as an ES module and as CommonJS. Node 20 has no WebSocket of its own.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Client, SyncError } from 'server-state-sync';
import { WebSocket } from 'ws';
import { converge } from '../converge.js';

const endpoint = process.env.STATESYNC_ENDPOINT;
const { Client: Required } = createRequire(import.meta.url)('server-state-sync');
const options = globalThis.WebSocket ? {} : { WebSocket };
if (!globalThis.WebSocket) {
  const without = new Client(endpoint, 'me');
  await assert.rejects(without.connectToState('any'), (error) => error instanceof SyncError && error.code === 'no_websocket');
}
await converge([new Client(endpoint, 'one', null, options), new Required(endpoint, 'other', null, options)]);
