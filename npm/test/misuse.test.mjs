// A page that calls in wrong orders, and functions of the page that throw or return what nobody expects: each call ends in
// a value or an error, and the client goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, SyncError } from 'server-state-sync';
import { options, serve, until } from './server.mjs';

let server;
const unseen = [];
process.on('unhandledRejection', (reason) => unseen.push(reason));
before(async () => { server = await serve({ chat: { messages: [], n: 0 }, other: { n: 0 }, second: { n: 0 } }); });
after(async () => {
  await server.stop();
  assert.deepEqual(unseen, []);
});

/** Runs the test with a client that is connected to the state, and closes it. */
async function withClient(run, made = options) {
  const client = new Client(server.endpoint, 'me', '', made);
  await client.connectToState('chat');
  await run(client);
  assert.equal(client.status.phase, 'connected');
  await client.updateState({ n: 0, messages: [] });
  assert.deepEqual(client.getState(), { n: 0, messages: [] });
  await client.close();
}

const trap = () => { throw new Error('trap'); };
const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** What a function may throw. */
const thrown = {
  'a string': 'x', undefined, null: null, 'a number': 1, 'a BigInt': 1n, 'a Symbol': Symbol('x'), 'an object without a prototype': Object.create(null), 'a function': () => 1,
  'an Error': new Error('x'), 'an Error that cannot be read': Object.defineProperty(new Error(), 'message', { get: trap }), 'an Error with a BigInt': Object.assign(new Error(), { message: 1n }),
  'a Proxy': new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap }), 'a revoked Proxy': revoked.proxy,
};

test('a token function may throw anything', async () => {
  for (const [name, what] of Object.entries(thrown)) {
    for (const fail of [() => { throw what; }, async () => { throw what; }]) {
      const tokens = [fail, () => ''];
      const client = new Client(server.endpoint, 'me', () => tokens.shift()(), { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
      const told = client.onError();
      assert.equal(typeof (await client.connectToState('chat')).n, 'number', name);
      assert.equal((await told).code, 'connection_lost', name);
      assert.match((await told).message, /^the connection could not be made or was lost: the token source gave no token: ./, name);
      await client.close();
    }
  }
});

test('what a change is computed by may throw anything, and the change rejects with it', () => withClient(async (client) => {
  for (const [name, what] of Object.entries(thrown)) {
    for (const change of [
      () => client.updateState(() => { throw what; }), () => client.updateState({ get n() { throw what; } }), () => client.updateState({ toJSON() { throw what; } }),
      () => client.updateState(() => ({ get n() { throw what; } })), () => client.updateState(() => ({ get then() { throw what; } })), () => client.append('messages', { toJSON() { throw what; } }),
    ]) await assert.rejects(change, (error) => error === what || (['unknown', 'update_failed'].includes(error.code) && error.cause === what) || assert.fail(`${name}: ${change}`));
  }
}));

test('a listener may throw anything, and the others are called', (t) => withClient(async (client) => {
  const printed = t.mock.method(console, 'error', () => {});
  const heard = [], errors = [];
  let n = 0;
  for (const [name, what] of Object.entries(thrown)) {
    const fail = () => { throw what; };
    const ends = [client.subscribe(fail), client.onStatus(fail), client.subscribe((state) => heard.push(state.n))];
    client.addStateUpdateListener('fails', fail);
    client.addStateUpdateListener('hears', (updates) => heard.push(updates.n));
    assert.equal(await client.updateState({ n: ++n }) > 0, true);
    assert.deepEqual(heard.splice(0), [n, n], name);
    assert.equal(printed.mock.callCount() > 0, true);
    const end = client.onError((error) => errors.push(error));
    await until(() => errors.length >= 2, name);
    assert.ok(errors.every((error) => error instanceof SyncError && error.code === 'listener_failed' && error.cause === what && error.message.length > 20), name);
    for (const each of [end, ...ends]) each();
    errors.splice(0);
  }
  client.removeStateUpdateListener('fails');
  client.removeStateUpdateListener('hears');
  client.onError(() => { throw thrown['an object without a prototype']; });
  await assert.rejects(client.updateState(1), { code: 'invalid_argument' });
}));

test('a console that throws stops no listener', async (t) => {
  const uncaught = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error.message));
  await withClient(async (client) => {
    const printed = t.mock.method(console, 'error', () => { throw new Error('no errors, please'); });
    client.addStateUpdateListener('x', () => { throw new Error('x'); });
    await client.updateState({ n: 1 });
    await client.updateState({ n: 2 });
    client.removeStateUpdateListener('x');
    printed.mock.restore();
    const heard = [];
    client.addStateUpdateListener('y', ({ n }) => heard.push(n));
    await client.updateState({ n: 3 });
    client.removeStateUpdateListener('y');
    assert.deepEqual(heard, [3]);
  });
  process.setUncaughtExceptionCaptureCallback(null);
  assert.deepEqual(uncaught, ['no errors, please', 'no errors, please']);
});

const cyclic = {};
cyclic.self = cyclic;

test('what is no object of updates is refused', () => withClient(async (client) => {
  for (const made of [1, 'x', true, null, 1n, Symbol('x'), [], [1], Promise.resolve({}), { then() {} }, () => ({}), async () => ({})]) {
    await assert.rejects(client.updateState(() => made), { code: 'invalid_argument', message: /returns an object of updates/ }, String(made));
  }
  await assert.rejects(client.updateState(async () => ({ n: 1 })), { code: 'invalid_argument', message: /must not be async/ });
  for (const made of [1, 'x', true, null, undefined, 1n, Symbol('x'), [], [1]]) await assert.rejects(client.updateState(made), { code: 'invalid_argument' });
  for (const made of [cyclic, { n: 1n }]) {
    for (const change of [made, () => made]) await assert.rejects(client.updateState(change), TypeError);
  }
  for (const made of [new Date(), { toJSON: () => 1 }, { toJSON: () => [] }, { toJSON: () => 'x' }, { toJSON: () => undefined }, { toJSON: () => Symbol('x') }]) {
    for (const change of [made, () => made]) await assert.rejects(client.updateState(change), (error) => error instanceof SyncError && error.code !== 'unknown', String(made));
  }
  await client.updateState(() => undefined);
  assert.deepEqual(client.getState(), { n: 0, messages: [] });
  for (const [made, got] of [
    [{ a: () => 1, b: undefined, c: Symbol('x') }, undefined], [{ a: new Date(0) }, '1970-01-01T00:00:00.000Z'], [{ a: NaN }, null], [{ a: -0 }, 0], [{ a: new Map([[1, 2]]) }, {}],
    [{ a: [undefined, () => 1] }, [null, null]], [{ a: Object('x') }, 'x'], [new Proxy({ a: 7 }, {}), 7], [{ toJSON: () => ({ a: 8 }) }, 8], [Object.assign(Object.create(null), { a: 9 }), 9],
  ]) {
    for (const change of [made, () => made]) {
      await client.updateState(change);
      assert.deepEqual(client.getState().a, got);
      if (got !== undefined) await client.remove('a');
    }
  }
}));

test('an update function that writes to what it is given is refused', () => withClient(async (client) => {
  for (const write of [(state) => { state.n = 5; }, (state) => { delete state.n; }, (state) => { Object.defineProperty(state, 'n', { value: 5 }); }]) {
    await assert.rejects(client.updateState(write), { code: 'update_failed', message: /not written to/ }, String(write));
    assert.deepEqual(client.getState(), { n: 0, messages: [] });
  }
}));

test('a change may be made while another one is computed', () => withClient(async (client) => {
  const inner = [];
  const outer = await client.updateState((state) => {
    inner.push(client.append('messages', 'inner'));
    inner.push(client.updateState((again) => ({ m: again.n + 1 })));
    return { n: state.n + 1 };
  });
  assert.ok(outer > 0);
  await Promise.all(inner);
  await client.updateState({ k: 1, toJSON() { inner.push(client.increment('n')); return { k: 2 }; } });
  await Promise.all(inner);
  assert.deepEqual(client.getState(), { k: 2, m: client.getState().m, messages: ['inner'], n: 2 });
  await client.remove('k');
  await client.remove('m');
}));

test('the client may be closed, and the state left, while a change is computed or a listener told', async () => {
  for (const end of [(client) => client.close(), (client, handle) => handle.leave()]) {
    for (const within of [(client, handle, call) => handle.updateState(() => (call(), { n: 1 })), (client, handle, call) => handle.updateState({ toJSON: () => (call(), { n: 1 }) }),
      (client, handle, call) => (handle.addStateUpdateListener('x', call), handle.updateState({ n: Math.random() })), (client, handle, call) => (handle.subscribe(call), handle.increment('n')),
      (client, handle, call) => (client.onStatus(call), handle.increment('n')), (client, handle, call) => (client.onError(call), handle.updateState(1))]) {
      const client = new Client(server.endpoint, 'me', '', options);
      const handle = client.state('second');
      await handle.ready();
      let ended;
      const change = within(client, handle, () => { ended = end(client, handle); });
      await Promise.allSettled([change]);
      await until(() => handle.status === 'ended', String(within));
      await ended;
      await client.close();
      assert.equal(client.status.pending, 0);
    }
  }
});

test('after close every call rejects or does nothing, and close may be called again', async () => {
  for (const autoConnect of [true, false]) {
    const client = new Client(server.endpoint, 'me', '', { ...options, autoConnect });
    const handle = client.state('chat');
    if (autoConnect) await Promise.all([client.connectToState('chat'), handle.ready()]);
    const seen = { ...client.getState() };
    await Promise.all([client.close(), client.close()]);
    for (const subject of [client, handle, client.state('chat'), client.state('new')]) {
      for (const call of [
        (of) => of.updateState({ n: 1 }), (of) => of.updateState(() => ({ n: 1 })), (of) => of.patchState([]), (of) => of.set('n', 1), (of) => of.append('messages', 1), (of) => of.append('messages'),
        (of) => of.insert('messages', 0, 1), (of) => of.increment('n'), (of) => of.remove('n'), (of) => of.connectToState?.('chat') ?? of.ready(),
      ]) await assert.rejects(call(subject), (error) => error.code === 'closed' || assert.fail(`${call}: ${error}`));
      subject.addStateUpdateListener('x', () => assert.fail());
      subject.subscribe(() => {})();
      assert.equal(typeof subject.removeStateUpdateListener('x'), 'boolean');
      assert.equal(typeof subject.getState(), 'object');
    }
    client.connect();
    client.onStatus(() => assert.fail())();
    client.onError(() => {})();
    handle.leave();
    handle.leave();
    assert.deepEqual(client.getState(), seen);
    assert.equal(client.status.phase, 'closed');
    assert.equal(client.status.pending, 0);
    await client.close();
  }
});

test('a state is entered and left in any order', () => withClient(async (client) => {
  const [first, second] = [client.state('other', { initialState: { n: -1 } }), client.state('other', { initialState: { n: -2 } })];
  assert.deepEqual([first.getState().n, second.getState().n], [-1, -2]);
  const ready = [first.ready(), second.ready()];
  assert.deepEqual([first.getInitialState().n, second.getInitialState().n], [-1, -2]);
  first.leave(); // while it joins
  await assert.rejects(ready[0].then(() => { throw Object.assign(new Error(), { code: 'closed' }); }), { code: 'closed' });
  assert.equal((await ready[1]).n, second.getState().n);
  for (let i = 0; i < 20; i++) {
    const handle = client.state('second');
    const joining = handle.ready();
    if (i % 2) await Promise.resolve();
    handle.leave();
    await assert.rejects(joining, { code: 'closed' });
    await assert.rejects(handle.updateState({ n: 1 }), { code: 'closed' });
  }
  const again = client.state('second');
  assert.equal(typeof (await again.ready()).n, 'number');
  const twice = await Promise.all([client.connectToState('other'), client.connectToState('second'), client.connectToState('other'), client.connectToState('chat')]);
  assert.deepEqual(twice.map((state) => Object.keys(state).length), [1, 1, 1, 2]);
}));

test('thousands of handles share one state', () => withClient(async (client) => {
  const handles = Array.from({ length: 5000 }, () => client.state('other'));
  let told = 0;
  for (const [i, handle] of handles.entries()) {
    handle.addStateUpdateListener('x', () => {
      told++;
      handles[i + 1]?.removeStateUpdateListener('x'); // the next one is told no more
    });
  }
  await Promise.all(handles.map((handle) => handle.ready()));
  const { version } = handles[0];
  told = 0;
  await handles[0].increment('n');
  assert.equal(told, 2500);
  assert.ok(handles.every((handle) => handle.version === version + 1));
  for (const handle of handles) handle.leave();
  const last = client.state('other');
  await last.increment('n');
  assert.equal(told, 2500);
  const many = Array.from({ length: 300 }, (_, i) => client.state('missing ' + i));
  for (const result of await Promise.allSettled(many.map((handle) => handle.ready()))) assert.equal(result.reason.code, 'state_not_found');
}));
