// The React component of version 1's README, word for word: its text is that of seed.jsx, and only the address and the
// identifier are made to match.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { JSDOM } from 'jsdom';
import { WebSocket } from 'ws';
import { options, serve, until } from './server.mjs';

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/' });
for (const name of ['window', 'document', 'navigator', 'HTMLElement', 'Node']) {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: name === 'window' ? window : window[name] });
}
globalThis.WebSocket = WebSocket;
const { createElement } = await import('react');
const { fireEvent, render, screen } = await import('@testing-library/react');
const { Client } = await import('server-state-sync');

let server;
before(async () => { server = await serve({ myGroupChat: { chatMessages: [] } }); });
after(() => server.stop());

test('the chat of version 1 runs word for word', async () => {
  const source = readFileSync(new URL('./seed.jsx', import.meta.url), 'utf8')
    .replace('ws://localhost:5000', server.endpoint).replace("'abc'", "'myGroupChat'") + 'export { ChatWidget };\n';
  mkdirSync('widget', { recursive: true });
  writeFileSync('widget/widget.jsx', source);
  execFileSync('../../node_modules/.bin/tsc', ['--ignoreConfig', '--allowJs', '--jsx', 'react', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck',
    '--noCheck', '--outDir', 'widget/out', 'widget/widget.jsx'], { stdio: 'inherit' });
  const { ChatWidget } = await import(new URL('../widget/out/widget.js', import.meta.url));
  const { error } = console;
  console.error = (...args) => { if (!String(args[0]).includes('unique "key"')) error(...args); }; // the component gives none
  render(createElement(ChatWidget));
  const other = new Client(server.endpoint, 'other', '', options);
  await other.connectToState('myGroupChat');
  await other.append('chatMessages', { content: 'hello' });
  await until(() => screen.queryByText('hello'));
  fireEvent.click(screen.getByText('Send Message'));
  await until(() => screen.queryByText('This is a new message'), 'its own message appears through its listener');
  await until(() => other.getState().chatMessages.length === 2);
  assert.deepEqual(other.getState().chatMessages, [{ content: 'hello' }, { content: 'This is a new message' }]);
  await other.close();
});
