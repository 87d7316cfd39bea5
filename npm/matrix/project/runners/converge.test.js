// For vitest (node, jsdom) and jest (jsdom), with their globals.
import { Client } from 'server-state-sync';
import { converge } from '../converge.js';
import { mount } from '../mount.js';

const endpoint = process.env.STATESYNC_ENDPOINT;
// Node 20 has none, and in vitest's page jsdom's does not work: its events are not those of Node.
const options = async () => ({ WebSocket: process.env.STATESYNC_WS ? (await import('ws')).WebSocket : globalThis.WebSocket });

test('two clients converge', async () => {
  const given = await options();
  await converge([new Client(endpoint, 'one', null, given), new Client(endpoint, 'other', null, given)]);
});

test('a component shows the state', async () => {
  if (process.env.STATESYNC_PAGE) expect(await mount(endpoint, await options())).toBe('first');
  else expect(typeof document).toBe('undefined');
});
