// The client side of version 1, as its README has it, against the built server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRequire } from 'node:module';
import * as esm from 'server-state-sync';
import { options, serve, until } from './server.mjs';

const cjs = createRequire(import.meta.url)('server-state-sync');
let server;
before(async () => { server = await serve({ chat: { messages: [], topic: 'tea', nested: { a: 1 } }, empty: {} }); });
after(() => server.stop());

for (const [name, { Client }] of [['ES module', esm], ['CommonJS', cjs]]) {
  test(`the seed's methods: ${name}`, async () => {
    const client = new Client(server.endpoint, 'clientIdentifier', 'accessToken', options);
    await client.onConnection();
    assert.equal(client.status.phase, 'connected');
    const state = await client.connectToState('chat');
    assert.equal(state.topic, 'tea');
    assert.deepEqual(client.getState(), state);

    const heard = [];
    client.addStateUpdateListener('listenerIdentifier', (updates, previous, detail) => heard.push([updates, previous, detail.origin]), ['topic']);
    const verdict = client.updateState({ topic: name });
    assert.equal(client.getState().topic, name, 'a change shows at once');
    assert.deepEqual(heard, [[{ topic: name }, { topic: 'tea' }, 'local']], 'and its listener has heard of it');
    assert.equal(typeof (await verdict), 'number');

    await client.updateState({ nested: { ...client.getState().nested, b: 2 } });
    assert.deepEqual(client.getState().nested, { a: 1, b: 2 });
    assert.equal(heard.length, 1, 'a listener of topic hears of topic only');
    assert.equal(client.removeStateUpdateListener('listenerIdentifier'), true);
    assert.equal(client.removeStateUpdateListener('listenerIdentifier'), false);
    await client.updateState({ topic: 'tea', nested: { a: 1 } });
    await client.close();
    await assert.rejects(client.updateState({ topic: 'late' }), { name: 'SyncError', code: 'closed' });
  });
}

test('two clients, of two copies of the package, see each other’s changes', async () => {
  const one = new esm.Client(server.endpoint, 'one', null, options);
  const other = new cjs.Client(server.endpoint, 'other', null, options);
  const heard = [];
  other.addStateUpdateListener('early', (updates, previous, detail) => heard.push([updates.messages?.length, previous.messages?.length, detail.origin]), ['messages']);
  await Promise.all([one.connectToState('chat'), other.connectToState('chat')]);
  await Promise.all([one.append('messages', { content: 'a' }, { content: 'b' }), other.append('messages', { content: 'c' })]);
  await until(() => one.getState().messages.length === 3 && other.getState().messages.length === 3);
  assert.deepEqual(one.getState(), other.getState());
  assert.ok(heard.length >= 2 && heard.some(([, , origin]) => origin === 'remote') && heard.some(([, , origin]) => origin === 'local'));
  await one.remove('messages');
  await until(() => !('messages' in other.getState()));
  await one.set('messages', []);
  await Promise.all([one.close(), other.close()]);
});

test('what a change does not touch stays the same object', async () => {
  const client = new esm.Client(server.endpoint, 'ada', '', options);
  await client.connectToState('chat');
  await client.updateState({ rows: [{ id: 1 }, { id: 2 }], other: { x: 1 } });
  const before = client.getState();
  await client.append('rows', { id: 3 });
  const now = client.getState();
  assert.notEqual(now, before);
  assert.notEqual(now.rows, before.rows);
  assert.equal(now.rows[0], before.rows[0]);
  assert.equal(now.other, before.other);
  assert.deepEqual(before.rows.length, 2, 'the old view stays as it was');
  await client.close();
});

test('every kind of change', async () => {
  const client = new esm.Client(server.endpoint, 'ada', undefined, options);
  await client.connectToState('empty');
  await client.updateState({ n: 1, list: [1, 2], deep: { list: [{ id: 'a' }, { id: 'b' }] }, 'a/b~c': 1 });
  await client.increment('n', 2.5);
  await client.increment('n');
  await client.insert('list', 0, 0);
  await client.insert(['deep', 'list'], 1, { id: 'x' });
  await client.set(['deep', 'list', 0, 'id'], 'A');
  await client.set(['list', 1], 'one');
  await client.remove('a/b~c');
  await client.remove(['list', 0]);
  await client.remove(['deep', 'list'], client.getState().deep.list[2]);
  await client.patchState([{ op: 'test', path: '/n', value: 4.5 }, { op: 'add', path: '/list/-', value: null }]);
  assert.equal(await client.append('list'), client.state('empty').version, 'nothing to append is no change');
  assert.deepEqual(client.getState(), { n: 4.5, list: ['one', 2, null], deep: { list: [{ id: 'A' }, { id: 'x' }] } });
  await client.close();
});

test('an element is removed wherever it stands, and nothing else when it is gone', async () => {
  const [one, other] = ['one', 'other'].map((name) => new esm.Client(server.endpoint, name, '', options));
  await one.connectToState('empty');
  await one.updateState({ rows: [{ id: 1 }, { id: 2 }, { id: 3 }] });
  await other.connectToState('empty');
  const [first, second] = other.getState().rows;
  await one.remove(['rows', 0]);
  await until(() => other.getState().rows.length === 2);
  await other.remove('rows', second);
  assert.deepEqual(other.getState().rows, [{ id: 3 }]);
  await assert.rejects(other.remove('rows', first), { code: 'conflict' });
  await assert.rejects(other.remove('rows', undefined), { code: 'conflict' });
  assert.deepEqual(other.getState().rows, [{ id: 3 }]);
  await Promise.all([one.close(), other.close()]);
});

test('a transaction loses nobody’s change, and may read one property beside another’s writes', async () => {
  const clients = Array.from({ length: 4 }, (_, i) => new esm.Client(server.endpoint, 'c' + i, '', options));
  await Promise.all(clients.map((client) => client.connectToState('empty')));
  await clients[0].updateState({ sum: 0 });
  await until(() => clients.every((client) => client.getState().sum === 0));
  for (let round = 0; round < 5; round++) {
    await Promise.all(clients.map((client, i) => client.updateState((state) => ({ sum: state.sum + i }))));
  }
  await until(() => clients.every((client) => client.getState().sum === 30), '30');
  assert.equal(await clients[0].updateState(() => undefined), clients[0].state('empty').version);
  await assert.rejects(clients[0].updateState(async () => ({ sum: 1 })), { code: 'invalid_argument' });
  await Promise.all(clients.map((client) => client.close()));
});

test('an update function that writes to what it is given is refused, and no view differs from the state', async () => {
  const [one, other] = ['one', 'other'].map((name) => new esm.Client(server.endpoint, name, '', options));
  await Promise.all([one.connectToState('empty'), other.connectToState('empty')]);
  const state = { topic: 'tea', rows: [{ id: 1, tags: ['a'] }], odd: { list: [3, 1] } };
  await one.updateState(state);
  for (const write of [
    (current) => { current.topic = 'x'; }, (current) => { delete current.topic; }, (current) => { current.rows.push({ id: 2 }); }, (current) => { current.rows.length = 0; },
    (current) => { current.rows[0].id = 2; }, (current) => { current.rows[0].tags.push('b'); }, (current) => { current.odd.list.sort(); },
    (current) => { Object.values(current).forEach((value) => { value.x = 1; }); }, (current) => Object.assign(current, { topic: 'x' }), ({ ...copy }) => { copy.rows.pop(); },
  ]) {
    await assert.rejects(one.updateState(write), { code: 'update_failed' }, String(write));
    assert.deepEqual(Object.fromEntries(Object.keys(state).map((name) => [name, one.getState()[name]])), state, String(write));
  }
  await one.append('rows', { id: 2 }); // what is frozen is copied by what comes next
  await one.set(['rows', 0, 'id'], 7);
  await one.updateState((current) => ({ rows: [...current.rows, { id: 3 }], odd: current.odd }));
  assert.deepEqual(one.getState().rows, [{ id: 7, tags: ['a'] }, { id: 2 }, { id: 3 }]);
  await until(() => other.getState().rows.length === 3);
  assert.deepEqual(one.getState(), other.getState());
  await Promise.all([one.close(), other.close()]);
});

test('a transaction runs again when what it has read was changed, and only then', async () => {
  const held = [];
  class Holding extends options.WebSocket {
    send(frame) { if (Holding.holds) held.push(() => super.send(frame)); else super.send(frame); }
  }
  const one = new esm.Client(server.endpoint, 'one', '', { WebSocket: Holding });
  const other = new esm.Client(server.endpoint, 'other', '', options);
  await Promise.all([one.connectToState('empty'), other.connectToState('empty')]);
  for (const [property, runs, made] of [['beside', 1, 2], ['read', 2, 11]]) {
    await other.updateState({ read: 1, beside: 1, made: 0 });
    await until(() => one.getState().made === 0 && one.getState().read === 1 && one.getState().beside === 1);
    Holding.holds = true;
    let ran = 0;
    const verdict = one.updateState((state) => (ran++, { made: state.read + 1 }));
    await until(() => held.length > 0);
    await other.updateState({ [property]: 10 });
    Holding.holds = false;
    for (const send of held.splice(0)) send();
    await verdict;
    assert.equal(one.getState().made, made, property);
    assert.equal(ran, runs, property);
  }
  await Promise.all([one.close(), other.close()]);
});

test('handles of states are counted', async () => {
  const client = new esm.Client(server.endpoint, 'ada', '', options);
  const [one, other] = [client.state('chat', { initialState: { topic: 'none yet' } }), client.state('chat')];
  assert.equal(one.status, 'idle');
  assert.equal(one.getState().topic, 'none yet');
  await Promise.all([one.ready(), other.ready()]);
  assert.equal(one.getState(), other.getState(), 'they share the view');
  one.leave();
  await assert.rejects(one.updateState({ topic: 'x' }), { code: 'closed' });
  await other.updateState({ topic: 'still here' });
  other.leave();
  assert.equal(other.status, 'ended');
  const again = client.state('chat');
  assert.equal((await again.ready()).topic, 'still here');
  await again.updateState({ topic: 'tea' });
  await client.close();
});

test('a change before the connection waits for it', async () => {
  const client = new esm.Client(server.endpoint, 'ada', '', { ...options, autoConnect: false });
  assert.equal(client.status.phase, 'idle');
  const state = client.state('empty');
  const verdict = state.updateState({ early: true });
  assert.equal(client.status.pending, 1);
  await verdict;
  assert.equal(state.getState().early, true);
  assert.equal(client.status.pending, 0);
  await client.close();
});
