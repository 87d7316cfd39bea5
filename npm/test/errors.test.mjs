// What goes wrong is an error with a code, every Promise settles, and nothing is rejected unseen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, SyncError } from 'server-state-sync';
import { Client as SlimClient } from 'server-state-sync/slim';
import { options, serve, until } from './server.mjs';

let server;
const unseen = [];
process.on('unhandledRejection', (reason) => unseen.push(reason));
before(async () => { server = await serve({ chat: { messages: [], n: 1 } }); });
after(async () => {
  await server.stop();
  assert.deepEqual(unseen, []);
});

test('wrong arguments throw, or reject, with invalid_argument', async () => {
  for (const args of [[], ['localhost:5000', 'me'], ['file://x', 'me'], ['ws://', 'me'], ['ws://x'], ['ws://x', 1], ['ws://x', 'me', 1], ['ws://x', 'me', '', 1]]) {
    assert.throws(() => new Client(...args), (error) => error instanceof SyncError && error.code === 'invalid_argument', JSON.stringify(args));
  }
  for (const wrong of [
    { backoff: 1 }, { backoff: null }, { backoff: { shortestMs: 2, longestMs: 1 } }, { backoff: { shortestMs: 0, longestMs: 1 } }, { backoff: { shortestMs: 1 } },
    { connectTimeoutMs: 0 }, { connectTimeoutMs: NaN }, { connectTimeoutMs: '1' }, { pendingLimit: 1 }, { pendingLimit: { changes: 1 } }, { pendingLimit: { changes: 0, bytes: 1 } },
  ]) {
    const [name] = Object.keys(wrong);
    assert.throws(() => new Client('ws://x', 'me', '', wrong), { name: 'SyncError', code: 'invalid_argument', message: new RegExp(name) }, JSON.stringify(wrong));
  }
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  for (const wrong of [
    () => client.addStateUpdateListener('x'), () => client.addStateUpdateListener(1, () => {}), () => client.addStateUpdateListener('x', () => {}, 'n'),
    () => client.addStateUpdateListener('x', () => {}, [1]), () => client.subscribe(), () => client.onError(1), () => client.onStatus(), () => client.state(),
  ]) assert.throws(wrong, { name: 'SyncError', code: 'invalid_argument' }, String(wrong));
  for (const wrong of [
    () => client.connectToState(), () => client.updateState(), () => client.updateState(1), () => client.updateState([]), () => client.updateState(null),
    () => client.patchState(), () => client.patchState({}), () => client.append(1, 1), () => client.append([], 1), () => client.append([1.5], 1),
    () => client.insert('messages', -1, 1), () => client.insert('messages', 'a', 1), () => client.remove(), () => client.set([], 1), () => client.increment(null),
  ]) await assert.rejects(wrong, { name: 'SyncError', code: 'invalid_argument' }, String(wrong));
  for (const [wrong, code] of [
    [() => client.updateState(JSON.parse('{"__proto__": 1}')), 'reserved_key'], [() => client.updateState({ n: 2 ** 53 }), 'number_out_of_range'],
    [() => client.updateState({ n: '\ud800' }), 'invalid_unicode'], [() => client.patchState([{ op: 'nothing' }]), 'invalid_patch'],
    [() => client.append('n', 1), 'path_not_found'], [() => client.append('nowhere', 1), 'path_not_found'], [() => client.increment('messages'), 'patch_failed'],
    [() => client.remove(['messages', 7]), 'path_not_found'], [() => client.remove('n', 1), 'patch_failed'],
  ]) await assert.rejects(wrong, (error) => error.code === code || assert.fail(`${wrong}: ${error}`));
  await assert.rejects(client.updateState({ n: 1n }), TypeError);
  assert.deepEqual(client.getState(), { messages: [], n: 1 });
  await client.close();
});

test('what is wrong is said in a sentence, with its code once and no more', async () => {
  const talk = await serve({ talk: { n: 1, counter: 3, nums: [1, 2], list: [{ id: 1 }] } });
  const client = new Client(talk.endpoint, 'me', '', options);
  const value = 'takes what JSON has, and neither undefined nor a function or a symbol; a property is taken away by remove';
  const element = 'does not have this element, or no longer; give one of those in getState() itself, or a path with an index';
  const scalar = 'a number has nothing in it: it is neither an array nor an object';
  await client.connectToState('talk');
  for (const [wrong, code, message] of [
    [() => client.set('x', undefined), 'invalid_argument', `set ${value}`], [() => client.set(['list', 0], () => 1), 'invalid_argument', `set ${value}`],
    [() => client.append('nums', 3, undefined), 'invalid_argument', `append ${value}`], [() => client.insert('nums', 0, Symbol('x')), 'invalid_argument', `insert ${value}`],
    [() => client.append('counter', 1), 'path_not_found', `path_not_found: ${scalar} (at /counter/-)`], [() => client.insert('counter', 0, 1), 'path_not_found', `path_not_found: ${scalar} (at /counter/0)`],
    [() => client.increment('n', NaN), 'invalid_argument', 'increment takes a finite number, and not NaN'], [() => client.increment('n', '1'), 'invalid_argument', 'increment takes a finite number, and not 1'],
    [() => client.increment('n', -Infinity), 'invalid_argument', 'increment takes a finite number, and not -Infinity'],
    [() => client.remove('nums', 7), 'conflict', `conflict: the array at /nums ${element}`], [() => client.remove('list', { id: 1 }), 'conflict', `conflict: the array at /list ${element}`],
    [() => client.remove('n', 1), 'patch_failed', 'patch_failed: there is no array at /n'],
    [() => client.connectToState(''), 'identifier_invalid', 'identifier_invalid: "" is not a string of 1 to 256 bytes of valid UTF-8 without control characters'],
  ]) await assert.rejects(wrong, { name: 'SyncError', code, message }, String(wrong));
  await client.remove('nums', 2); // the one that is equal, and not the one at the index
  assert.deepEqual(client.getState(), { n: 1, counter: 3, nums: [1], list: [{ id: 1 }] });
  await client.close();
  await talk.stop();
  const lost = new Client('ws://127.0.0.1:1/there', 'me', 'secret', { ...options, tokenInQuery: true });
  const error = await lost.onError();
  assert.equal(error.code, 'connection_lost');
  assert.match(error.message, /^the connection could not be made or was lost: .* ws:\/\/127\.0\.0\.1:1\/there closed with code 1006$/);
  await until(() => lost.status.phase === 'waiting');
  assert.equal(lost.status.lastError.message, error.message);
  await lost.close();
});

test('changes right after connectToState wait for the state', async () => {
  const client = new Client(server.endpoint, 'hasty', '', options);
  const connected = client.connectToState('chat');
  const verdicts = [client.increment('n', 5), client.append('messages', 'early'), client.updateState({ n: 1 })];
  const versions = await Promise.all(verdicts);
  assert.deepEqual(versions.map((version) => version - versions[0]), [0, 1, 2]);
  await connected;
  assert.deepEqual(client.getState(), { messages: ['early'], n: 1 });
  await client.updateState({ messages: [] });
  await client.close();
  const other = new Client(server.endpoint, 'lost', '', options);
  other.connectToState('missing');
  await assert.rejects(other.increment('n'), { code: 'state_not_found' });
  await other.close();
});

test('a state that is not there rejects, and onError hears it', async () => {
  const client = new Client(server.endpoint, 'me', '', options);
  await assert.rejects(client.updateState({}), { code: 'not_connected_to_state' });
  assert.equal((await client.onError()).code, 'not_connected_to_state');
  client.connectToState('missing').then(() => assert.fail()); // as version 1's users write it
  assert.equal((await client.onError()).code, 'state_not_found');
  client.connectToState('missing'); // ignored altogether
  assert.equal((await client.onError()).code, 'state_not_found');
  const handle = client.state('missing');
  await assert.rejects(handle.ready(), { code: 'state_not_found' });
  assert.equal(handle.status, 'ended');
  assert.equal(handle.error.code, 'state_not_found');
  await assert.rejects(handle.updateState({}), { code: 'state_not_found' });
  await client.close();
});

test('errors that nobody listens to are kept for who comes, 64 of them, and the rest are counted', async () => {
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  for (let i = 0; i < 70; i++) client.updateState({ n: '\ud800' });
  await until(() => client.status.pending === 0);
  assert.equal((await client.onError()).code, 'invalid_unicode', 'the oldest');
  const heard = [];
  client.onError((error) => heard.push(error));
  await until(() => heard.length === 64);
  assert.deepEqual(heard.map((error) => error.code), [...Array.from({ length: 63 }, () => 'invalid_unicode'), 'errors_dropped']);
  assert.match(heard[63].message, /^6 further errors/);
  await client.close();
});

test('a listener that throws is reported and the others are called', async (t) => {
  const printed = t.mock.method(console, 'error', () => {});
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  const heard = [];
  client.addStateUpdateListener('bad', () => { throw new Error('one'); });
  client.addStateUpdateListener('good', (updates) => heard.push(updates));
  await client.updateState({ n: 2 });
  assert.deepEqual(heard, [{ n: 2 }]);
  const error = await client.onError();
  assert.equal(error.code, 'listener_failed');
  assert.equal(error.cause.message, 'one');
  assert.equal(printed.mock.callCount(), 1, 'nobody listened, so it was printed');
  client.removeStateUpdateListener('bad');
  await client.updateState({ n: 1 });
  await client.close();
});

test('what an update function throws has a code, is told, and changes nothing', async () => {
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  const before = client.getState();
  client.updateState(() => { throw new RangeError('mine'); }); // nobody waits
  const told = await client.onError();
  const message = 'the function given to updateState has thrown: mine';
  assert.deepEqual([told.name, told.code, told.message], ['SyncError', 'update_failed', message]);
  assert.ok(told.cause instanceof RangeError);
  await assert.rejects(client.updateState((state) => state.nowhere.deep), (error) => error instanceof SyncError && error.code === 'update_failed' && error.cause instanceof TypeError);
  await assert.rejects(client.updateState(() => { throw 'a string'; }), { code: 'update_failed', cause: 'a string' });
  assert.equal(client.status.pending, 0);
  assert.equal(client.getState(), before);
  await client.close();
});

test('a listener may change the state and sees what it has done', async () => {
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  const seen = [];
  client.addStateUpdateListener('x', ({ n }) => {
    seen.push(n);
    if (n < 5) {
      client.updateState({ n: n + 1 });
      seen.push('now ' + client.getState().n);
    }
  }, ['n']);
  await client.updateState({ n: 3 });
  assert.deepEqual(seen, [3, 'now 4', 4, 'now 5', 5]);
  client.addStateUpdateListener('x', () => client.removeStateUpdateListener('y'));
  client.addStateUpdateListener('y', () => seen.push('removed'));
  await client.updateState({ n: 6 });
  assert.ok(!seen.includes('removed'), 'a listener that one before it has removed is not called');
  client.removeStateUpdateListener('x');
  await client.updateState({ n: 1 });
  await client.close();
});

test('after close everything rejects, and what waited has its verdict', async () => {
  const client = new Client('ws://127.0.0.1:1', 'me', '', options); // nobody is there
  const waiting = [client.connectToState('chat'), client.state('chat').updateState({ n: 2 })];
  await until(() => client.status.phase === 'waiting');
  assert.equal(client.status.lastError.code, 'connection_lost');
  assert.ok(client.status.nextRetryAt > 0);
  assert.equal(client.status.pending, 1);
  await client.close();
  for (const each of waiting) await assert.rejects(each, { code: 'closed' });
  await assert.rejects(client.connectToState('chat'), { code: 'closed' });
  assert.equal(client.status.phase, 'closed');
  assert.equal(client.status.pending, 0);
  await client.close();
  const early = new Client(server.endpoint, 'me', '', options);
  const never = early.connectToState('chat');
  await early.close(); // before its module was loaded
  await assert.rejects(never, { code: 'closed' });
});

test('from close on every call rejects at once, and a listener is taken and never called', async () => {
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  const handle = client.state('chat'), idle = client.state('chat');
  await handle.ready();
  const closing = client.close();
  for (let closed = 0; closed < 2; closed++) {
    const calls = [client.onConnection(), client.connectToState('chat'), client.connectToState('other'), client.updateState(() => assert.fail())];
    for (const each of [client, handle, idle, client.state('other')]) {
      calls.push(each.updateState({ n: 2 }), each.patchState([]), each.set('n', 2), each.append('messages', 1), each.insert('messages', 0, 1), each.increment('n'), each.remove('n'));
      calls.push(each.append('messages'), ...(each === client ? [] : [each.ready()]));
    }
    for (const call of calls) await assert.rejects(call, (error) => error instanceof SyncError && error.code === 'closed');
    assert.equal(client.status.pending, 0);
    await closing;
  }
  const heard = [];
  client.onError((error) => assert.equal(error.code, 'closed'));
  for (const each of [client, handle, client.state('chat')]) {
    each.addStateUpdateListener('late', () => heard.push('update'));
    each.subscribe(() => heard.push('state'))();
  }
  client.onStatus(() => heard.push('status'))();
  assert.equal(client.removeStateUpdateListener('late'), true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(heard, []);
  assert.deepEqual(client.getState(), { messages: [], n: 1 }, 'what was there last');
  await client.close();
});

test('a wrong token ends the client, and a token may come from a function', async () => {
  const guarded = await serve({ chat: {} }, '--token', 'secret');
  const wrong = new Client(guarded.endpoint, 'me', 'wrong', options);
  const failed = wrong.onError();
  await assert.rejects(wrong.connectToState('chat'), { code: 'unauthorized' });
  assert.equal((await failed).code, 'unauthorized');
  assert.equal(wrong.status.phase, 'failed');
  await wrong.close();
  for (const token of ['secret', () => 'secret', async () => 'secret']) {
    const client = new Client(guarded.endpoint, 'me', token, options);
    assert.deepEqual(await client.connectToState('chat'), {});
    await client.close();
  }
  const tokens = [() => { throw new Error('none yet'); }, async () => { throw new Error('still none'); }, () => 1, () => 'secret'];
  const client = new Client(guarded.endpoint, 'me', () => tokens.shift()(), { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
  const told = [];
  client.onError((error) => told.push(`${error.code}: ${error.message}`));
  assert.deepEqual(await client.connectToState('chat'), {}, 'where a function has no token, it is asked again');
  for (const [i, part] of [/none yet/, /still none/, /is no string/].entries()) assert.match(told[i], part);
  assert.deepEqual(told.map((line) => line.split(':')[0]), ['connection_lost', 'connection_lost', 'connection_lost']);
  await client.close();
  await guarded.stop();
});

test('why a client has failed is told once: to the listener of errors, and without one to the console', async (t) => {
  const printed = t.mock.method(console, 'error', () => {});
  const guarded = await serve({ chat: {}, other: {} }, '--token', 'secret');
  for (const listens of [true, false]) {
    const client = new Client(guarded.endpoint, 'me', 'wrong', options);
    const told = [];
    if (listens) client.onError((error) => told.push(error.code));
    const connection = client.onConnection();
    client.onConnection().then(() => assert.fail()); // nobody waits for any of these
    client.connectToState('chat');
    client.connectToState('other').then(() => assert.fail());
    client.updateState({ n: 1 });
    client.state('chat').append('list', 1);
    await assert.rejects(connection, (error) => error instanceof SyncError && error.code === 'unauthorized');
    await assert.rejects(client.onConnection(), { code: 'unauthorized' });
    await assert.rejects(client.state('chat').ready(), { code: 'unauthorized' });
    await until(() => client.status.phase === 'failed' && client.status.pending === 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!listens) client.onError((error) => told.push(error.code)); // who comes later hears it, too
    await until(() => told.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(told, ['unauthorized']);
    assert.deepEqual(printed.mock.calls.map(({ arguments: [error] }) => error.code), listens ? [] : ['unauthorized']);
    await client.close();
  }
  await guarded.stop();
});

test('a state that cannot be had is told to the console where nobody handles or hears it, and a lost connection never is', async (t) => {
  const printed = t.mock.method(console, 'error', () => {});
  const codes = () => printed.mock.calls.map(({ arguments: [error] }) => error.code);
  const client = new Client(server.endpoint, 'me', '', options);
  client.connectToState('missing').then(() => assert.fail());
  await until(() => printed.mock.callCount() > 0);
  assert.deepEqual(codes(), ['state_not_found']);
  await assert.rejects(client.connectToState('missing'), { code: 'state_not_found' });
  await client.connectToState('missing').catch(() => {});
  await new Promise((resolve) => client.connectToState('missing').then(assert.fail, resolve));
  client.onError(() => {});
  client.connectToState('missing');
  await until(() => client.state('missing').status !== 'joining');
  await client.close();
  const lonely = new Client('ws://127.0.0.1:1', 'me', '', { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
  lonely.connectToState('chat');
  await until(() => lonely.status.attempt > 2);
  await lonely.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(codes(), ['state_not_found']);
});

test('a listener of the status hears every change until it is ended', async () => {
  const client = new Client(server.endpoint, 'me', '', { ...options, autoConnect: false });
  const heard = [], ended = [];
  client.onStatus((status) => heard.push(status));
  client.onStatus((status) => ended.push(status))();
  await client.connectToState('chat');
  await client.updateState({ n: 1 });
  await client.close();
  for (const [i, status] of heard.entries()) assert.notDeepEqual(status, heard[i - 1], 'another object is another status');
  assert.deepEqual([...new Set(heard.map((status) => status.phase))], ['loading', 'connecting', 'connected', 'closed']);
  assert.deepEqual(ended, []);
});

test('without a WebSocket the client says what to do', async () => {
  const has = globalThis.WebSocket;
  delete globalThis.WebSocket; // Node 22 has one
  const client = new Client(server.endpoint, 'me');
  if (has) globalThis.WebSocket = has;
  await assert.rejects(client.connectToState('chat'), { code: 'no_websocket', message: /options\.WebSocket/ });
  assert.equal(client.status.phase, 'failed');
  await assert.rejects(client.onConnection(), { code: 'no_websocket' });
});

test('a module that is no module', async () => {
  const web = createServer((request, response) => {
    if (request.url === '/missing.wasm') response.statusCode = 404;
    response.setHeader('Content-Type', request.url === '/typed.wasm' ? 'application/wasm' : 'text/html');
    response.end('<!doctype html>');
  });
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${web.address().port}`;
  for (const [wasm, message] of [
    [address + '/index.html', /HTML/], [new URL(address + '/index.html'), /HTML/], [address + '/missing.wasm', /404/], [address + '/typed.wasm', /could not be loaded/],
    [new Uint8Array([1, 2, 3]), /could not be loaded/], [() => { throw new Error('my own'); }, /my own/], [fetch(address + '/index.html'), /HTML/],
    [async () => { throw new Error("Refused: 'unsafe-eval' is not allowed by the Content Security Policy"); }, /wasm-unsafe-eval/],
    [new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])), /./],
  ]) {
    const client = new SlimClient(server.endpoint, 'me', '', { ...options, wasm });
    await assert.rejects(client.connectToState('chat'), (error) => (error.code === 'wasm_load' && message.test(error.message)) || assert.fail(String(error)));
    assert.equal((await client.onError()).code, 'wasm_load');
  }
  await assert.rejects(new SlimClient(server.endpoint, 'me', '', options).connectToState('chat'), { code: 'wasm_load', message: /init/ });
  let loads = 0;
  const flaky = () => (++loads === 1 ? fetch(address + '/missing.wasm') : readFileSync(fileURLToPath(import.meta.resolve('server-state-sync/client.wasm'))));
  await assert.rejects(new SlimClient(server.endpoint, 'me', '', { ...options, wasm: flaky }).connectToState('chat'), { code: 'wasm_load' });
  for (let i = 0; i < 2; i++) {
    const client = new SlimClient(server.endpoint, 'me', '', { ...options, wasm: flaky });
    await client.connectToState('chat');
    await client.close();
  }
  assert.equal(loads, 2, 'a failed load is tried again, and one that worked is not');
  await new Promise((resolve) => web.close(resolve));
});

test('when Go crashes every Promise rejects, and the client says so', async () => {
  class Broken extends options.WebSocket {
    get bufferedAmount() { return Broken.broken ? 'no number' : super.bufferedAmount; }
  }
  const client = new Client(server.endpoint, 'me', '', { WebSocket: Broken });
  const other = new Client(server.endpoint, 'other', '', options);
  await Promise.all([client.connectToState('chat'), other.connectToState('chat')]);
  const errors = [];
  client.onError((error) => errors.push(error.code));
  Broken.broken = true;
  await assert.rejects(client.updateState({ n: 7 }), { code: 'wasm_exited', message: /panic/ });
  await until(() => errors.includes('wasm_exited'));
  assert.equal(client.status.phase, 'failed');
  await assert.rejects(client.updateState({ n: 8 }), { code: 'wasm_exited' });
  await client.close();
  await other.updateState({ n: 1 });
  await other.close();
});
