// npm run bench: what crossing the boundary costs, measured at the package in npm/out/project (make npm-test installs it
// there). Prints each figure with its limit; a limit that is missed is marked, and fails nothing: machines differ.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { WebSocketServer, WebSocket } from 'ws';

const { Client } = await import(createRequire(import.meta.url).resolve('./out/project/node_modules/server-state-sync/dist/index.js'));
const lines = (...messages) => messages.map((message) => JSON.stringify(message)).join('\n');

/** The value with its members in the order in which a server sends them (RFC 8785). */
function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]));
}

/** A server with one state that says what the measurement wants. */
async function play(value) {
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'server-state-sync.v1' });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  let version = 1, socket, joined;
  const text = JSON.stringify(canonical(value));
  server.on('connection', (connection) => {
    socket = connection;
    connection.on('message', (data) => {
      for (const line of String(data).split('\n')) {
        const message = JSON.parse(line);
        if (message[0] === 'hello') connection.send(lines(['welcome', 's', { heartbeat: 15000, window: 512, windowBytes: 4194304, maxMessage: 1048576 }]));
        if (message[0] === 'join') {
          joined?.();
          connection.send(`["joined",${message[1]},"e",1,0,[],${text}]`);
        }
        if (message[0] === 'patch' || message[0] === 'merge') connection.send(lines(['accepted', message[1], message[2], ++version]));
      }
    });
  });
  return {
    endpoint: `ws://127.0.0.1:${http.address().port}`,
    joining: (call) => { joined = call; },
    entries: (list) => {
      socket.send(lines(['entries', 1, version + 1, ...list]));
      version += list.length;
    },
    stop: () => { server.close(); http.close(); socket.terminate(); },
  };
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const say = (what, got, limit, unit) => console.log(`${what.padEnd(66)} ${got.toFixed(2).padStart(9)} ${unit}, at most ${limit} ${unit}${got > limit ? '   MISSED' : ''}`);

/** A client whose WebSocket hands frames over at a known time. */
class Timed extends WebSocket {
  static at = 0;
  static inGo = 0;
  set onmessage(call) { super.onmessage = (event) => { Timed.at = performance.now(); call(event); Timed.inGo = performance.now() - Timed.at; }; }
  get onmessage() { return super.onmessage; }
}

async function connected(value) {
  const server = await play(value);
  const client = new Client(server.endpoint, 'bench', '', { WebSocket: Timed });
  await client.onConnection();
  return { server, client };
}

async function snapshot() {
  const value = { rows: Array.from({ length: 9000 }, (_, id) => ({ id, name: `row number ${id}`, tags: ['a', 'b'], done: id % 2 === 0, note: 'some text for this row, about as long as notes are' })) };
  const text = JSON.stringify(value);
  const parses = Array.from({ length: 15 }, () => { const began = performance.now(); JSON.parse(text); return performance.now() - began; });
  const times = [];
  for (let i = 0; i < 9; i++) {
    const { server, client } = await connected(value);
    await client.connectToState('bench');
    times.push(performance.now() - Timed.at);
    await client.close();
    server.stop();
  }
  say(`snapshot of ${(text.length / 1e6).toFixed(2)} MB to an object, to JSON.parse of the text`, median(times) / median(parses), 2.5, 'times');
  console.log(`  (${median(times).toFixed(1)} ms, JSON.parse ${median(parses).toFixed(1)} ms)`);
}

/** Sends count rounds of one frame each and returns the median time from the frame to the listener, in microseconds. */
async function remote(value, frame, rounds) {
  const { server, client } = await connected(value);
  await client.connectToState('bench');
  const times = [];
  let heard;
  client.addStateUpdateListener('bench', () => { times.push((performance.now() - Timed.at) * 1000); heard(); });
  for (let i = 0; i < rounds; i++) {
    const told = new Promise((resolve) => { heard = resolve; });
    server.entries(frame(i));
    await told;
  }
  await client.close();
  server.stop();
  return median(times.slice(rounds / 5));
}

/** The median time of an append with what it shows, in microseconds. */
async function append(length) {
  const { server, client } = await connected({ list: Array.from({ length }, (_, id) => ({ id })) });
  await client.connectToState('bench');
  const times = [];
  for (let i = 0; i < 1500; i++) {
    const began = performance.now();
    const verdict = client.append('list', { id: i });
    times.push((performance.now() - began) * 1000);
    await verdict;
    if (i % 50 === 49) await client.remove(['list', 0]);
  }
  await client.close();
  server.stop();
  return median(times.slice(300));
}

const small = { n: 0, other: { a: 1 }, list: [1, 2, 3] };
await snapshot();
say('small remote change to its listener', await remote(small, (i) => [[['add', ['n'], i + 1]]], 3000), 80, 'us');
say('1,000 changes in one frame, each', await remote(small, (i) => Array.from({ length: 1000 }, (_, k) => [['add', ['n'], i * 1000 + k]]), 60) / 1000, 15, 'us');
const [few, many] = [await append(100), await append(10_000)];
say(`append of one's own to 10,000 (${many.toFixed(0)} us), to one to 100 (${few.toFixed(0)} us)`, many / few, 2, 'times');
const [rare, often] = await Promise.all([remote({ list: Array(100).fill({ a: 1 }) }, (i) => [[['add', ['list', 100 + i], i]]], 1000)])
  .then(async ([first]) => [first, await remote({ list: Array(10_000).fill({ a: 1 }) }, (i) => [[['add', ['list', 10_000 + i], i]]], 1000)]);
say(`append of others to 10,000 (${often.toFixed(0)} us), to one to 100 (${rare.toFixed(0)} us)`, often / rare, 2, 'times');
