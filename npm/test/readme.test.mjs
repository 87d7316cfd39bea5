// The README: every row of the JavaScript column runs as it stands there, and its pages run in two tabs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { JSDOM } from 'jsdom';
import { WebSocket } from 'ws';
import { options, serve, until } from './server.mjs';

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/' });
for (const name of ['window', 'document', 'navigator', 'HTMLElement', 'Node']) {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: name === 'window' ? window : window[name] });
}
let server;
// The README names a fixed address; here it leads to the server of the test.
globalThis.WebSocket = class extends WebSocket {
  constructor(address, protocols) { super(address.replace('ws://127.0.0.1:5000', server.endpoint), protocols); }
};
const { createElement } = await import('react');
const { fireEvent, render, within } = await import('@testing-library/react');
const { Client } = await import('server-state-sync');

const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
before(async () => { server = await serve({ abc: { property: { a: 1 }, messages: [] }, demo: { counter: 0, messages: ['first'] } }); });
after(() => server.stop());

test('every row of the JavaScript column runs', async () => {
  const [, table] = readme.split('| version 1 | Go | JavaScript |\n');
  const cells = table.split('\n\n')[0].split('\n').slice(1).map((row) => row.split(' | ').at(-1).replace(/ \|$/, ''));
  const rows = cells.filter((cell) => cell !== 'the server is in Go').map((cell) => /^`(.*)`$/.exec(cell)[1]);
  assert.ok(rows.length >= 10, rows.join('\n'));
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const run = new AsyncFunction('Client', 'url', 'heard', 'failed', 'message', `${rows.join(';\n')};\nreturn { client, state, version, removed, value }`);
  const heard = [], failed = [];
  const made = await run(Client, server.endpoint, (...args) => heard.push(args), (error) => failed.push(error), 'a message');
  assert.deepEqual(made.state, { property: { a: 1 }, messages: [] });
  assert.equal(typeof made.version, 'number');
  assert.equal(made.removed, true);
  assert.equal(made.value.property.nestedProperty, 'value');
  assert.deepEqual(made.client.getState().messages, ['a message']);
  made.client.connectToState('missing');
  await until(() => failed.length === 1);
  await made.client.close();
});

test('the chat runs in two tabs', async () => {
  const { default: App } = await import(new URL('../readme/1.js', import.meta.url));
  const [one, other] = [0, 1].map(() => within(render(createElement(App)).container));
  await until(() => one.queryByText('first') && other.queryByText('first'));
  fireEvent.change(one.getByRole('textbox'), { target: { value: 'hello' } });
  fireEvent.click(one.getByText('Send'));
  fireEvent.click(other.getByText('clicked 0 times'));
  await until(() => other.queryByText('hello') && one.queryByText('clicked 1 times'));
});

test('the hooks run in two tabs', async () => {
  const { default: App } = await import(new URL('../readme/2.js', import.meta.url));
  const [one, other] = [0, 1].map(() => within(render(createElement(App)).container));
  assert.ok(one.getByText('loading') && one.getByText('0 messages') && one.getByText('one moment'), 'what there is before the state is');
  await until(() => one.queryByText('ready') && /^last: ./.test(one.queryByText(/^last: /)?.textContent) && other.queryByText('ready'));
  const count = Number(/\d+/.exec(one.getByText(/^clicked/).textContent)[0]), total = Number(/\d+/.exec(one.getByText(/ messages$/).textContent)[0]);
  assert.ok(total > 0, 'the selector has the state');
  fireEvent.click(one.getByText('Greet'));
  assert.ok(one.getByText('Greet').disabled, 'the mutation is pending');
  fireEvent.click(other.getByText(`clicked ${count} times`));
  for (const tab of [one, other]) {
    await until(() => tab.queryByText('last: Hello Ada') && tab.queryByText(`${total + 1} messages`) && tab.queryByText(`clicked ${count + 1} times`));
  }
  await until(() => !one.getByText('Greet').disabled);
  assert.equal(one.queryByText(/Ada was greeted already$/), null);
  fireEvent.click(other.getByText('Greet'));
  await until(() => other.queryByText(/Ada was greeted already$/), 'the mutation says why');
  assert.equal(one.queryByText(/Ada was greeted already$/), null, 'in the tab that called it');
  assert.ok(one.getByText(`${total + 1} messages`), 'and nothing was changed');
});

test('a client that is refused for good is as the README says', async () => {
  assert.match(readme, /`onConnection\(\)` waits .* It rejects when the server refuses the client for good/s);
  const guarded = await serve({ demo: {} }, '--token', 'secret');
  const client = new Client(guarded.endpoint, 'me', 'wrong', options);
  const connection = assert.rejects(client.onConnection(), { code: 'unauthorized' });
  const state = client.connectToState('demo');
  assert.equal((await client.onError()).code, 'unauthorized');
  assert.equal(client.status.phase, 'failed');
  await assert.rejects(state, { code: 'unauthorized' });
  await assert.rejects(client.updateState({ a: 1 }), { name: 'SyncError' });
  await connection;
  await client.close();
  await guarded.stop();
});

test('what is read is shared, so the README says not to mutate it', async () => {
  assert.match(readme, /What is read must not be mutated/);
  const [one, other] = [0, 1].map(() => new Client(server.endpoint, 'me', '', options));
  for (const client of [one, other]) await client.connectToState('demo');
  const told = [];
  one.addStateUpdateListener('told', (updates) => told.push(...Object.keys(updates)));
  const { messages } = one.getState();
  messages.push('mutated');
  await one.increment('counter');
  await until(() => other.getState().counter === one.getState().counter);
  assert.equal(one.getState().messages.at(-1), 'mutated', 'readers of this client go on with it');
  assert.deepEqual(told, ['counter'], 'nobody is told');
  assert.notEqual(other.getState().messages.at(-1), 'mutated', 'and it is not sent');
  for (const client of [one, other]) await client.close();
});
