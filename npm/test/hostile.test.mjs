// A server that is hostile: whatever it sends, the client ends in an error with a code or connects anew, and a server that
// keeps the protocol afterwards is served as ever.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { Client, SyncError } from 'server-state-sync';
import { options, until } from './server.mjs';

const settings = { heartbeat: 15000, window: 512, windowBytes: 4194304, maxMessage: 1048576 };
const welcome = JSON.stringify(['welcome', 'session', settings]);
const mib = 1 << 20;
const unseen = [];
for (const event of ['unhandledRejection', 'uncaughtExceptionMonitor']) process.on(event, (reason) => unseen.push(reason));
const prototypes = [Object, Array, Function, String, Promise].map((of) => [of, Object.getOwnPropertyNames(of.prototype)]);

/** A server of one state that keeps the protocol, but for what a script makes the next connection do. */
class Peer {
  connections = 0;
  version = 0;
  value = { n: 0, list: [] };
  verdicts = [];
  script; // [when, what]: instead of welcome, instead of joined, or behind joined

  async listen() {
    this.http = createServer();
    this.server = new WebSocketServer({ server: this.http, handleProtocols: () => 'server-state-sync.v1' });
    this.server.on('connection', (socket) => this.serve(socket));
    await new Promise((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    this.endpoint = `ws://127.0.0.1:${this.http.address().port}`;
    return this;
  }

  serve(socket) {
    this.connections++;
    this.socket = socket.on('error', () => {});
    socket.on('message', (data) => {
      for (const line of String(data).split('\n')) this.answer(socket, JSON.parse(line));
    });
  }

  answer(socket, [tag, n, number, , updates, answered]) {
    this.n = n; // of a join, and what follows
    if (tag === 'hello' && !this.plays('welcome', socket)) socket.send(welcome);
    if (tag === 'join' && !this.plays('joined', socket, n)) {
      socket.send(this.joined(n, answered));
      this.plays('behind', socket, n);
    }
    if (tag !== 'merge') return;
    if (this.verdict) return this.refuse(socket, n, number);
    Object.assign(this.value, updates);
    this.verdicts[number - 1] = [number, ++this.version];
    socket.send(JSON.stringify(['accepted', n, number, this.version]));
  }

  refuse(socket, n, number) {
    this.verdicts[number - 1] = [number, 0, 4300, 'refused'];
    socket.send(this.verdict.replaceAll('"#"', number).replaceAll('"N"', n));
    this.verdict = undefined;
  }

  joined(n, answered = 0) {
    return JSON.stringify(['joined', n, 'epoch', ++this.version, this.verdicts.length, this.verdicts.slice(answered), this.value]);
  }

  plays(when, socket, n) {
    if (this.script?.[0] !== when) return false;
    const [, what] = this.script;
    this.script = undefined;
    if (typeof what === 'function') what(socket, n, this);
    else socket.send(what.replaceAll('NEXT', this.version + 1).replaceAll('NOW', this.version).replaceAll('"N"', n));
    return true;
  }

  stop() {
    this.socket?.terminate();
    this.server.close();
    this.http.close();
  }
}

let peer, client, heard, count = 0;
before(async () => {
  peer = await new Peer().listen();
  client = new Client(peer.endpoint, 'me', '', { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
  client.onError((error) => heard.push(error));
  heard = [];
  await client.connectToState('chat');
});
after(async () => {
  await client.close();
  peer.stop();
  assert.deepEqual(unseen, []);
  for (const [of, names] of prototypes) assert.deepEqual(Object.getOwnPropertyNames(of.prototype), names, 'nothing was added to a prototype');
  assert.equal({}.polluted, undefined);
});

/** Cuts the connection, lets the next one be hostile, and then makes a change: it needs a connection that is not. */
async function attack(when, what) {
  const { connections } = peer;
  heard = [];
  peer.script = [when, what];
  peer.socket.terminate();
  await until(() => peer.script === undefined, 'the script is played');
  await client.updateState({ n: ++count });
  assert.equal(client.status.phase, 'connected');
  assert.equal(client.getState().n, count);
  for (const error of heard) assert.ok(error instanceof SyncError && error.code === 'connection_lost', String(error));
  return { dials: peer.connections - connections, told: heard.slice(1).map((error) => error.message) };
}

/** What ends the connection, and nothing else: the reason is told, once, and the next connection is good. */
async function refused(when, what, why = /broke the protocol: ./) {
  const { dials, told } = await attack(when, what), name = `${when}, ${String(what).slice(0, 120)}`;
  assert.equal(told.length, 1, `${name}: ${told}`);
  assert.match(told[0], why, name);
  assert.equal(dials, 2, name);
}

/** What the protocol lets a server say, or a client overlook: the connection stays. */
async function borne(when, what) {
  const { dials, told } = await attack(when, what), name = `${when}, ${String(what).slice(0, 120)}`;
  assert.deepEqual(told, [], name);
  assert.equal(dials, 1, name);
}

const nested = (levels) => '['.repeat(levels) + ']'.repeat(levels);

/** What is no message at any time. */
const nonsense = [
  'no JSON', '', '\n', ' ', '{}', '[]', 'null', '1', '"ping"', '[1]', '[null]', '[[]]', '["ping"', '["ping"]]', '["ping"]\n', '\n["ping"]', '["ping"]["ping"]',
  '["ping",1]', '["PING"]', '["ping\\u0000"]', '["\\ud800"]', '["toString"]', '["__proto__"]', '["constructor",1]', '["hello","0123456789abcdef","me",{}]', '["join",1,"chat"]',
  '\ufeff["ping"]', '["ping"]\r\n["ping"]\n', nested(10_000), nested(10_001), '['.repeat(100_000), '{"a":'.repeat(50_000),
  '["bye"]', '["bye","4000","",0]', '["bye",4000,1,0]', '["bye",4000,"",-1]', '["bye",4000,"",1e999]', '["bye",99999999999999999999,"",0]', '["bye",4000,"' + 'x'.repeat(1025) + '",0]',
  '["bye",{},[],null]', '["closed",1]', '["closed","1",4200,""]', '["closed",1.5,4200,""]', '["closed",-1,4200,""]', '["closed",4294967296,4200,""]', '["closed",1e999,4200,""]',
];

for (const when of ['welcome', 'joined', 'behind']) {
  test(`what is no message, ${when === 'behind' ? 'behind' : 'instead of'} ${when === 'behind' ? 'joined' : when}`, async () => {
    for (const [i, text] of nonsense.entries()) if (when === 'behind' || i % 3 === 0) await refused(when, text);
  });
}

test('a welcome that is none', async () => {
  const made = (changed) => JSON.stringify(['welcome', 'session', { ...settings, ...changed }]);
  for (const text of [
    '["welcome"]', '["welcome","session"]', `["welcome",1,${JSON.stringify(settings)}]`, '["welcome","session",{}]', '["welcome","session",[]]', '["welcome","session",null]',
    made({ heartbeat: 0 }), made({ heartbeat: -1 }), made({ heartbeat: 1.5 }), made({ heartbeat: '15000' }), made({ heartbeat: null }), made({ heartbeat: 2 ** 32 }), made({ window: 0 }),
    made({ windowBytes: [] }), made({ maxMessage: {} }), welcome.replace('15000', '1e999'), welcome.replace('15000', '9'.repeat(400)),
    welcome.replace('{', '{"heartbeat":1,'), welcome.replace('{', '{"__proto__":{"polluted":1},'), JSON.stringify(['welcome', 'x'.repeat(65), settings]), JSON.stringify(['welcome', '', settings]),
    '["entries",1,1,[]]', '["joined",1,"epoch",1,0,[],{}]', '["accepted",1,1,1]', '["refused",1,1,4300,""]', '["catchup",1,1,2,{},[],0,[]]', '["snapshot",1,1,{},0,[]]', '["closed",1,4200,""]',
  ]) await refused('welcome', text);
  await refused('joined', welcome);
  await refused('behind', welcome);
});

test('a joined that is none', async () => {
  for (const text of [
    '["joined"]', '["joined","N"]', '["joined","N","epoch"]', '["joined","N",1,NEXT,0,[],{}]', '["joined","N","epoch","1",0,[],{}]', '["joined","N","epoch",NEXT,-1,[],{}]',
    '["joined","N","epoch",1e999,0,[],{}]', '["joined","N","epoch",9007199254740993,0,[],{}]', '["joined","N","epoch",NEXT,0,{},{}]', '["joined","N","epoch",NEXT,0,[],[]]',
    '["joined","N","epoch",NEXT,0,[],null]', '["joined","N","epoch",NEXT,0,[],{"a":1,"a":2}]', '["joined","N","epoch",NEXT,0,[],{"\\u0061":1,"a":2}]',
    '["joined","N","epoch",NEXT,0,[],{"__proto__":{"polluted":1}}]', '["joined","N","epoch",NEXT,0,[],{"a":[{"\\u005f_proto__":{"polluted":1}}]}]',
    '["joined","N","epoch",NEXT,0,[],{"a":"\\ud800"}]', '["joined","N","epoch",NEXT,0,[],{"\\udfff":1}]', '["joined","N","epoch",NEXT,0,[],{"a":"\\udc00\\ud800"}]', '["joined","N","epoch",NEXT,0,[],{"a":1e999}]',
    '["joined","N","epoch",NEXT,0,[],{"a":9007199254740993}]', '["joined","N","epoch",NEXT,0,[],{"a":1e20}]', `["joined","N","epoch",NEXT,0,[],{"a":${nested(1000)}}]`, `["joined","N","epoch",NEXT,0,[],{"${'k'.repeat(65537)}":1}]`,
    '["joined","N","epoch",NEXT,0,[],{"a":01}]', '["joined","N","epoch",NEXT,0,[],{"a":undefined}]', '["joined","N","epoch",NEXT,0,[],{"a":1,}]', '["joined","N","epoch",NEXT,0,[[1]],{}]',
    '["joined","N","epoch",NEXT,0,[[1,0]],{}]', '["joined","N","epoch",NEXT,0,[[2,1],[1,1]],{}]', '["joined","N","epoch",NEXT,0,[],{},"no good name!"]', '["joined",4294967295,"epoch",1,0,[],{}]',
    `["joined","N","${'e'.repeat(65)}",NEXT,0,[],{}]`, '["joined","N","epoch",0,0]', '["joined","N","other",NOW,0]',
    '["entries","N",NEXT,[["add",["n"],1]]]', '["accepted","N",1,NEXT]', '["refused","N",1,4300,""]', '["catchup","N",NOW,NEXT,{},[],0,[]]', '["snapshot","N",NEXT,{},0,[]]',
  ]) await refused('joined', text);
});

test('entries that are none', async () => {
  for (const text of [
    '["entries"]', '["entries","N"]', '["entries","N",NEXT]', '["entries","N",NOW,[]]', '["entries","N",0,[]]', '["entries","N",NEXT0,[]]', '["entries","N",9007199254740991,[]]', '["entries","N",-1,[]]',
    '["entries","N","NEXT",[]]', '["entries","N",NEXT,{}]', '["entries","N",NEXT,[[]]]', '["entries","N",NEXT,[["add"]]]', '["entries","N",NEXT,[["unknown",["n"],1]]]', '["entries","N",NEXT,[["add","n",1]]]',
    '["entries","N",NEXT,[["add",["n"]]]]', '["entries","N",NEXT,[["add",[],1]]]', '["entries","N",NEXT,[["remove",[]]]]', '["entries","N",NEXT,[["remove",["missing"]]]]', '["entries","N",NEXT,[["add",["list",1],1]]]',
    '["entries","N",NEXT,[["add",["list",-1],1]]]', '["entries","N",NEXT,[["add",["list",1.5],1]]]', '["entries","N",NEXT,[["add",["list",2147483648],1]]]', '["entries","N",NEXT,[["add",["list",4294967295],1]]]',
    '["entries","N",NEXT,[["add",["n","x"],1]]]', '["entries","N",NEXT,[["add",["list","length"],0]]]', '["entries","N",NEXT,[["add",["__proto__"],{"polluted":1}]]]', '["entries","N",NEXT,[["add",["__proto__","polluted"],1]]]',
    '["entries","N",NEXT,[["add",["constructor","prototype","polluted"],1]]]', '["entries","N",NEXT,[["add",["list","constructor","polluted"],1]]]', '["entries","N",NEXT,[["add",["a"],{"__proto__":1}]]]',
    '["entries","N",NEXT,[["increment",["list"],1]]]', '["entries","N",NEXT,[["increment",["n"],"1"]]]', '["entries","N",NEXT,[["increment",["n"],9007199254740991],["increment",["n"],9007199254740991]]]',
    '["entries","N",NEXT,[["move",["list"],["list",0]]]]', '["entries","N",NEXT,[["move",[],["a"]]]]', '["entries","N",NEXT,[["copy",["missing"],["a"]]]]', '["entries","N",NEXT,[["move",["constructor"],["a"]]]]',
    '["entries","N",NEXT,[["add",["a"],"\\ud800"]]]', '["entries","N",NEXT,[["add",["\\ud800"],1]]]', '["entries","N",NEXT,[["add",["a"],1e400]]]', `["entries","N",NEXT,[["add",["a"],${nested(1001)}]]]`,
    `["entries","N",NEXT,[["add",${JSON.stringify(Array(20_000).fill('a'))},1]]]`, '["entries","N",NEXT,[["add",["a"],1]],null]', '["entries","N",NEXT,[["replace",["list",0],1]]]',
    '["entries",4294967295,NEXT,[]]', '["accepted",77,1,1]', '["accepted","N",0,NEXT]', '["accepted","N",1,"NEXT"]', '["accepted","N",1,NEXT,{}]', '["accepted","N",1,NEXT,[["remove",["missing"]]]]',
    '["accepted","N",-1,NEXT]', '["accepted","N",1e999,NEXT]', '["refused","N",1]', '["refused","N",1,"4300",""]', '["refused","N",1,4300,null]', '["refused","N",1,-1,""]', '["refused","N",1,1e9,""]',
    '["catchup","N",NEXT,NEXT0,{},[],0,[]]', '["catchup","N",NOW,NEXT,[],[],0,[]]', '["catchup","N",NOW,NEXT,{"a":1,"a":2},[],0,[]]', '["catchup","N",NOW,NEXT,{"__proto__":1},[],0,[]]',
    '["catchup","N",NOW,NEXT,{},["__proto__"],0,[]]', '["catchup","N",NOW,NEXT,{},[1],0,[]]', '["catchup","N",NOW,NEXT,{},["missing"],0,[[1]]]', '["catchup","N",NOW,NEXT,{},[],-1,[]]',
    '["snapshot","N",NEXT,[],0,[]]', '["snapshot","N",NEXT,null,0,[]]', '["snapshot","N",0,{},0,[]]', '["snapshot","N",NEXT,{},0,{}]',
    '["joined","N","epoch",NEXT,0,[],{}]', '["joined","N","epoch",NOW,0]',
  ]) await refused('behind', text);
});

test('what a client can bear', async () => {
  for (const text of [
    '["ping"]', Array(1000).fill('["ping"]').join('\n'), ' [ "ping" ] ', '["catchup","N",NOW,NOW,{},[],0,[]]', '["snapshot","N",NOW,{"n":0},0,[]]', '["refused","N",1,4300,"again"]',
    '["refused","N",9007199254740991,4300,"never sent"]', '["accepted","N",1,1]', '["accepted","N",9007199254740991,1]',
  ]) await borne('behind', text);
  for (const text of [
    '["entries","N",NEXT,[]]', '["entries","N",NEXT,[["add",["hasOwnProperty"],[]],["add",["then"],{"then":1}],["add",["valueOf"],null]]]', `["entries","N",NEXT,[["add",["deep"],${nested(999)}]]]`,
    '["snapshot","N",NEXT,{"z":1,"a":{"c":1,"b":2},"10":0,"9":0},0,[]]', '["catchup","N",NOW,NEXT,{"b":1,"a":2},["z","constructor","missing"],0,[]]',
    '["accepted","N",9007199254740991,NEXT,[["add",["stray"],1]]]',
  ]) await borne('behind', (socket, n, server) => {
    socket.send(text.replaceAll('NEXT', server.version + 1).replaceAll('NOW', server.version).replaceAll('"N"', n));
    server.version++;
  });
});

test('keys as those of prototypes are keys', async () => {
  const detail = [];
  client.addStateUpdateListener('keys', (updates, previous, { removed }) => detail.push([updates, previous, removed]), ['constructor', 'toString']);
  const entries = (...ops) => peer.socket.send(JSON.stringify(['entries', peer.n, ++peer.version, ops]));
  entries(['add', ['constructor'], { prototype: { polluted: 1 } }], ['add', ['toString'], 1]);
  await until(() => detail.length === 1);
  assert.deepEqual(client.getState().constructor, { prototype: { polluted: 1 } });
  entries(['add', ['constructor', 'prototype', 'polluted'], 2]);
  entries(['remove', ['constructor']], ['remove', ['toString']]);
  await until(() => detail.length === 3);
  assert.deepEqual(detail, [
    [{ constructor: { prototype: { polluted: 1 } }, toString: 1 }, {}, []],
    [{ constructor: { prototype: { polluted: 2 } } }, { constructor: { prototype: { polluted: 1 } } }, []],
    [{}, { constructor: { prototype: { polluted: 2 } }, toString: 1 }, ['constructor', 'toString']],
  ]);
  client.removeStateUpdateListener('keys');
});

test('verdicts twice, and with codes that nobody knows', async () => {
  for (const [said, code] of [[4300, 'refused'], [4399, 'refused'], [4499, 'conflict'], [4299, 'unknown'], [4199, 'unknown'], [4099, 'connection_lost']]) {
    heard = [];
    const { connections } = peer;
    peer.verdict = `["refused","N","#",${said},"no"]\n["refused","N","#",${said},"no"]`;
    await assert.rejects(client.updateState({ n: -1 }), (error) => (error instanceof SyncError && error.code === code && /no/.test(error.message)) || assert.fail(`${said}: ${error}`));
    await client.updateState({ n: ++count });
    assert.equal(client.getState().n, count);
    assert.deepEqual(heard.map((error) => error.code), [code]);
    assert.equal(peer.connections, connections);
  }
});

test('large frames', async () => {
  const entries = (amount, made) => (socket, n, server) => {
    socket.send(`["entries",${n},${server.version + 1},${Array.from({ length: amount }, made).join()}]`);
    server.version += amount;
  };
  await borne('behind', entries(100_000, (_, i) => `[["add",["n"],${i}]]`));
  await borne('behind', entries(1, () => `[["add",["text"],"${'x'.repeat(17 * mib)}"]]`));
  await borne('behind', entries(1, () => `[["add",["text"],"${'\u20ac'.repeat(mib)}"]]`));
});

/** A client of its own, whose server says something that it cannot go on from: it fails with the code, and asks no more. */
async function failed(what, code) {
  const own = await new Peer().listen();
  own.script = ['behind', what];
  const ends = new Client(own.endpoint, 'me', '', { ...options, backoff: { shortestMs: 1, longestMs: 1 } });
  const errors = [];
  ends.onError((error) => errors.push(error));
  const handle = ends.state('chat');
  await handle.ready().catch((error) => assert.equal(error.code, code));
  await until(() => ends.status.phase === 'failed', String(what).slice(0, 100));
  await until(() => handle.status === 'ended');
  assert.equal(ends.status.lastError.code, code, String(what).slice(0, 100));
  await assert.rejects(ends.connectToState('chat'), { code });
  await assert.rejects(handle.updateState({ n: 1 }), { code });
  assert.ok(errors.every((error) => error instanceof SyncError && error.code === code), String(errors));
  assert.equal(own.connections, 1);
  await ends.close();
  const next = new Client(own.endpoint, 'me', '', options);
  assert.deepEqual(await next.connectToState('chat'), own.value);
  await next.close();
  own.stop();
}

test('a server that ends a connection for good', async () => {
  await failed((socket) => socket.send(Buffer.from('["ping"]')), 'unknown');
  await failed((socket) => socket.send('x'.repeat(64 * mib + 1)), 'unknown');
  for (const code of [1003, 1007, 1008, 1009, 4199]) await failed((socket) => socket.close(code, 'for good'), 'unknown');
  for (const [code, name] of [[4100, 'unauthorized'], [4103, 'bad_message'], [4106, 'session_taken']]) {
    await failed((socket) => socket.close(code), name);
    await failed((socket) => socket.send(`["bye",${code},"go away",0]\n["ping"]`), name);
  }
});

test('a server that ends a connection for now', async () => {
  const again = async (what, why) => {
    const { dials, told } = await attack('behind', what);
    assert.equal(dials, 2, String(what));
    assert.match(told.join(), why, String(what));
  };
  for (const code of [1000, 1001, 1002, 1011, 1013, 3000, 4099, 4500, 4999]) await again((socket) => socket.close(code, 'for now'), /for now|is closed/);
  await again((socket) => socket.close(), /1005|is closed/);
  await again((socket) => socket.terminate(), /1006|is closed/);
  await again((socket) => socket._socket.destroy(), /1006|is closed/);
  const raw = (...bytes) => (socket) => socket._socket.write(Buffer.from(bytes));
  await again((socket) => socket._socket.end(Buffer.from([0x81, 100, 91, 34])), /1006|is closed/); // cut in the middle of a frame
  await again((socket) => socket._socket.end(Buffer.from([0x01, 2, 91, 34])), /1006|is closed/); // cut between two fragments
  await again(raw(0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255), /100[0-9]|is closed/); // a length that nobody has
  await again(raw(0xff, 0), /100[0-9]|is closed/); // reserved bits, an opcode that is none
  await again(raw(0x88, 2, 3, 231), /100[0-9]|is closed/); // a close code that must not be sent
  await again(raw(0x88, 1, 3), /100[0-9]|is closed/);
});

test('a server that says nothing, and one that never lets a client in', async () => {
  const silent = await new Peer().listen();
  silent.server.removeAllListeners('connection');
  let connections = 0;
  silent.server.on('connection', (socket) => { connections++; silent.socket = socket; });
  const made = { ...options, connectTimeoutMs: 5, backoff: { shortestMs: 1, longestMs: 1 } };
  const waits = new Client(silent.endpoint, 'me', '', made);
  waits.onError(() => {});
  const joined = waits.connectToState('chat');
  await until(() => connections > 3);
  assert.equal(waits.status.lastError.code, 'handshake_timeout');
  assert.equal(waits.status.everConnected, false);
  silent.server.removeAllListeners('connection');
  silent.server.on('connection', (socket) => { // welcomes, and then nothing: two heartbeats are soon over
    connections++;
    socket.on('message', () => socket.send(welcome.replace('15000', '1')));
  });
  connections = 0;
  await until(() => connections > 3);
  await until(() => waits.status.lastError.code === 'heartbeat_timeout' || waits.status.lastError.code === 'connection_lost');
  assert.ok(waits.status.attempt > 6, 'a welcome alone does not make the next wait a short one');
  silent.server.removeAllListeners('connection');
  silent.server.on('connection', (socket) => silent.serve(socket));
  await waits.close();
  await assert.rejects(joined, { code: 'closed' });
  const good = new Client(silent.endpoint, 'me', '', options);
  assert.deepEqual(await good.connectToState('chat'), silent.value);
  await good.close();
  silent.stop();
});
