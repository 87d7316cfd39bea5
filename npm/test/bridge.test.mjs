// The seams: Go's steps and the function that applies them, the declarations and what Go publishes, the module without
// this package, and that nothing is left behind.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import { execFileSync } from 'node:child_process';
import { Client, version } from 'server-state-sync';
import { options, serve, until } from './server.mjs';

const require = createRequire(import.meta.url);
const core = require(join(dirname(fileURLToPath(import.meta.resolve('server-state-sync'))), 'core.cjs'));
const wasmFile = fileURLToPath(import.meta.resolve('server-state-sync/client.wasm'));
const sources = join(process.cwd(), '..', '..', 'src');
let server;
before(async () => { server = await serve({ chat: { messages: [], n: 1 }, big: { list: [] } }); });
after(() => server.stop());

/** Freezes a value and all in it, so that a write to it throws. */
function freeze(value) {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

test('the function that applies steps agrees with Go on every vector', () => {
  const vectors = JSON.parse(readFileSync(new URL('./steps.json', import.meta.url), 'utf8'));
  assert.ok(vectors.length > 200);
  for (const { name, before: from, steps, after: to } of vectors) {
    freeze(from);
    assert.deepEqual(core.apply(from, steps), to, name);
  }
  const from = freeze({ a: { b: [1] }, c: { d: 1 } });
  const made = core.apply(from, [['i', ['a', 'b', 1], 2], ['i', ['a', 'b', 2], 3]]);
  assert.equal(made.c, from.c, 'what no step touches is shared');
});

/** Loads the module with Go's own wasm_exec.js in a context of its own, as a page without this package would. */
async function plain(extra) {
  const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
  const page = vm.createContext({
    crypto, performance, TextEncoder, TextDecoder, WebSocket: options.WebSocket, console, setTimeout, clearTimeout, Uint8Array, Object, Array, Promise, Error,
    Function, JSON, Date, WebAssembly, ...extra,
  });
  vm.runInContext(readFileSync(join(root, 'lib', 'wasm', 'wasm_exec.js'), 'utf8'), page);
  const go = vm.runInContext('new Go()', page);
  const { instance } = await WebAssembly.instantiate(readFileSync(wasmFile), go.importObject);
  void go.run(instance);
  return { page, go };
}

test('the module works without this package, under one name', async () => {
  const { page } = await plain();
  const client = page.serverStateSync.connect(server.endpoint, 'plain', 'token');
  const state = await client.connectToState('chat');
  assert.deepEqual(state, { messages: [], n: 1 });
  const heard = [];
  client.addStateUpdateListener('x', (updates, previous) => heard.push(updates, previous), ['n']);
  await client.updateState({ n: 2 });
  await client.updateState((previous) => ({ n: previous.n + 1 }));
  assert.deepEqual(heard, [{ n: 2 }, { n: 1 }, { n: 3 }, { n: 2 }]);
  assert.equal(client.getState().n, 3);
  await client.updateState({ n: 1 });
  await client.close();
});

/** The names that an interface of src/bridge.ts declares, with those of what it extends. */
function declared(name) {
  const [, parent, body] = new RegExp(`interface ${name}(?: extends (\\w+))? \\{\\n([^}]*)\\}`).exec(readFileSync(join(sources, 'bridge.ts'), 'utf8'));
  return [...[...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, member]) => member), ...(parent ? declared(parent) : [])].sort();
}

test('the declarations are what Go publishes', async () => {
  const { page } = await plain();
  const client = page.serverStateSync.connect(server.endpoint, 'plain');
  assert.deepEqual(Object.keys(client).sort(), declared('RawClient'));
  assert.deepEqual(Object.keys(client.state('chat')).sort(), declared('RawState'));
  assert.deepEqual(Object.keys(client.status()).sort(), declared('RawStatus'));
  await client.close();
});

test('the codes of the declarations are those of the protocol, and its own', () => {
  const table = readFileSync(join(sources, '..', '..', 'protocol', 'code.go'), 'utf8');
  const codes = [...table.matchAll(/^\t\{Code\w+, "(\w+)"/gm)].map(([, name]) => name);
  const types = readFileSync(join(sources, 'types.ts'), 'utf8');
  const union = /type SyncErrorCode =([^;]*);/.exec(types)[1];
  assert.deepEqual([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name), codes);
});

/** The members that an interface of src/types.ts declares, with those of what it extends. */
function members(name, types = readFileSync(join(sources, 'types.ts'), 'utf8')) {
  const [, parents = '', body] = new RegExp(`interface ${name}<[^{]*?(?: extends ([^{]*?))? \\{\\n([\\s\\S]*?)\\n\\}`).exec(types);
  const own = [...body.matchAll(/^ {2}(?:readonly )?(\w+|\[Symbol\.dispose\])[<(:]/gm)].map(([, member]) => member);
  return [...new Set([...own, ...[...parents.matchAll(/(\w+)</g)].flatMap(([, parent]) => members(parent, types))])];
}

test('a client and a state have every member that the types promise', () => {
  const client = new Client(server.endpoint, 'me', '', { ...options, autoConnect: false });
  const has = (object, member) => (member === '[Symbol.dispose]' ? !Symbol.dispose || Symbol.dispose in object : member in object);
  for (const [name, object] of [['Client', client], ['State', client.state('chat')]]) {
    const promised = members(name);
    assert.ok(promised.length > 15, String(promised));
    assert.deepEqual(promised.filter((member) => !has(object, member)), [], name);
  }
});

test('nothing is left on globalThis, and the version is that of package.json', async () => {
  const before = Object.getOwnPropertyNames(globalThis).sort();
  const client = new Client(server.endpoint, 'me', '', options);
  await client.connectToState('chat');
  await client.close();
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), before);
  assert.equal(version, require('server-state-sync/package.json').version);
  assert.equal(require('server-state-sync').version, version);
});

test('the tarball is small', () => {
  const size = statSync(process.env.STATESYNC_TARBALL).size;
  console.log(`the tarball is ${size} bytes`);
  assert.ok(size <= 2_000_000, 'the limit is 2,000,000 bytes');
});

/** Collects the functions that Go makes, and tells how many of those from an index on are given back. */
function watched(go, errors) {
  const made = [];
  const wrap = go._makeFuncWrapper;
  go._makeFuncWrapper = function (id) {
    const call = wrap.call(this, id);
    made.push(call);
    return call;
  };
  return {
    made,
    async released(from) {
      await until(() => errors.length === 0);
      for (const call of made.slice(from)) call();
      return errors.filter((text) => text === 'call to released function').length;
    },
  };
}

test('a state that is left leaves no live js.Func behind', async () => {
  const errors = [];
  const { page, go } = await plain({ console: { ...console, error: (text) => errors.push(text) } });
  const functions = watched(go, errors);
  const client = page.serverStateSync.connect(server.endpoint, 'leak');
  await client.onConnection();
  const own = functions.made.length; // of the client and its socket
  for (let i = 0; i < 5; i++) {
    const state = client.state('chat');
    state.follow(() => {});
    await state.ready();
    await state.transact(() => ({ updates: undefined, reads: [] }));
    await state.leave();
  }
  const count = functions.made.length - own;
  assert.ok(count > 25, `${count} functions were made`);
  assert.equal(await functions.released(own), count);
  await client.close();
});

test('10,000 changes sent and received leave no live js.Func and no memory behind', async () => {
  const errors = [];
  const { page, go } = await plain({ console: { ...console, error: (text) => errors.push(text) } });
  const functions = watched(go, errors);
  const round = async () => {
    const client = page.serverStateSync.connect(server.endpoint, 'leak', async () => 'token');
    await client.onConnection();
    const state = client.state('big');
    let steps = 0;
    state.follow((text) => { steps += JSON.parse(text).length ?? 1; });
    await state.ready();
    for (let sent = 0; sent < 10_000; sent += 500) {
      await Promise.all(Array.from({ length: 500 }, () => state.patchState([{ op: 'add', path: '/list/-', value: 1 }])));
    }
    await state.updateState({ list: [] });
    assert.ok(steps >= 10_001, `${steps} steps`);
    await client.close();
  };
  await round();
  gc();
  const memory = go._inst.exports.mem.buffer.byteLength;
  const values = () => go._values.filter((value) => value !== undefined && value !== null).length;
  await round();
  gc();
  assert.ok(go._inst.exports.mem.buffer.byteLength <= memory * 1.1, 'the second round needs more memory than the first');
  const released = await functions.released(0);
  console.log(`${functions.made.length} functions were made, ${released} are released; ${values()} values are held; ${memory} bytes`);
  assert.equal(functions.made.length - released, 0);
});
