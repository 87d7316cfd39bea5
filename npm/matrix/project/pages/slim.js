// A page that loads the module by itself: from the address ?module=, or the one inside the package.
import { Client } from 'server-state-sync';
import { Client as Slim } from 'server-state-sync/slim';
import { chat } from '../chat.js';

const module = new URLSearchParams(location.search).get('module');
const rejected = (error) => {
  const line = document.body.appendChild(document.createElement('pre'));
  line.textContent = `${error.name} ${error.code} ${error.message}`;
};
chat(module ? Slim : Client, module ? { wasm: new URL(module, location.href) } : undefined).catch(rejected);
