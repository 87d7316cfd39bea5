// The options of a client that are the Go client's.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Client } from 'server-state-sync';
import { options, serve, until } from './server.mjs';

let server;
before(async () => { server = await serve({ chat: { n: 0 } }); });
after(() => server.stop());

test('the backoff is the one given', async () => {
  const client = new Client('ws://127.0.0.1:1', 'me', '', { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
  client.onError(() => {});
  await until(() => client.status.attempt > 30, '30 attempts, which take minutes by default');
  await client.close();
  const slow = new Client('ws://127.0.0.1:1', 'me', '', { ...options, backoff: { shortestMs: 1e9, longestMs: Infinity } });
  await until(() => slow.status.phase === 'waiting');
  assert.ok(slow.status.nextRetryAt > Date.now() + 20_000, 'it waits longer than by default, but for once in 50,000 times');
  await slow.close();
});

test('an attempt to connect ends after the time given', async () => {
  const sockets = new Set();
  const silent = createServer((socket) => { sockets.add(socket.on('error', () => {})); });
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const client = new Client(`ws://127.0.0.1:${silent.address().port}`, 'me', '', { ...options, connectTimeoutMs: 5, backoff: { shortestMs: 1, longestMs: 1 } });
  client.onError(() => {});
  await until(() => client.status.attempt > 10, '10 attempts, which take 100 seconds by default');
  assert.equal(client.status.lastError.code, 'handshake_timeout');
  await client.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

test('beyond the pending limit a change waits, and is made when there is room', async () => {
  const held = [];
  class Holding extends options.WebSocket {
    send(frame) { if (Holding.holds) held.push(() => super.send(frame)); else super.send(frame); }
  }
  for (const [pendingLimit, shown] of [[{ changes: 2, bytes: 1e6 }, 2], [{ changes: 1e6, bytes: 1 }, 1], [{ changes: Infinity, bytes: Infinity }, 4]]) {
    const client = new Client(server.endpoint, 'me', '', { WebSocket: Holding, pendingLimit, connectTimeoutMs: Infinity });
    await client.connectToState('chat');
    await client.updateState({ n: 0 });
    Holding.holds = true;
    const verdicts = [1, 2, 3, 4].map((n) => client.updateState({ n }));
    assert.equal(client.getState().n, shown, JSON.stringify(pendingLimit));
    assert.equal(client.status.pending, 4);
    await until(() => held.length > 0);
    Holding.holds = false;
    for (const send of held.splice(0)) send();
    await Promise.all(verdicts);
    assert.equal(client.getState().n, 4);
    await client.close();
  }
});
