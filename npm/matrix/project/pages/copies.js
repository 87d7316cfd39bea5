// Two copies of the package and two clients of each in one page, which see each other and leave nothing on the page.
import { Client } from 'server-state-sync';
import { Client as Copied } from '../copy/node_modules/server-state-sync/dist/index.js';
import { chat } from '../chat.js';

const before = Object.getOwnPropertyNames(globalThis);
const say = (text) => { document.body.appendChild(document.createElement('pre')).textContent = text; };

async function run() {
  if (Client === Copied) throw new Error('there is one copy only');
  const asked = new URLSearchParams(location.search);
  const client = await chat(Client);
  const others = [Client, Copied, Copied].map((Each, i) => new Each(asked.get('endpoint'), `other ${i}`));
  for (const other of others) await other.connectToState(asked.get('state'));
  await Promise.all(others.map((other) => other.increment('counter')));
  for (const each of [client, ...others]) {
    while (each.getState().counter !== 3) await new Promise((resolve) => { each.subscribe(resolve); });
  }
  await others[0].close();
  await others[2].increment('counter', -3);
  while (others[1].getState().counter !== 0) await new Promise((resolve) => { others[1].subscribe(resolve); });
  const left = Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name));
  say(left.length === 0 ? 'nothing is left on globalThis' : `on globalThis: ${left}`);
}
run().catch((error) => say(`${error.code} ${error.message}`));
