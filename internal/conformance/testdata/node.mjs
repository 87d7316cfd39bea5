// One end of the conformance run under Node: node node.mjs ROLE ADDRESS [WASM_EXEC MODULE]. ROLE is reference, a client
// written from PROTOCOL.md, or wasm, the browser's module without the npm package. It takes one request a line,
// {id, do, ...}, and answers each with a line, {id, ...}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import vm from 'node:vm';
import { Client } from './reference/client.mjs';
import { parsePatch, resolve } from './reference/operations.mjs';
import { Refusal, canonical, parse } from './reference/values.mjs';

const [role, address, ...files] = process.argv.slice(2);
const fence = '\uffff'; // what the test adds to a state when all changes were made

/** A JSON Pointer, or the name of a top-level property. */
const pointer = (at) => (at.startsWith('/') ? at : `/${at.replaceAll('~', '~0').replaceAll('/', '~1')}`);

/** The JSON Patch that a step of the corpus stands for, as its text. */
function patchText({ do: kind, at, text }) {
  switch (kind) {
    case 'patch': return text;
    case 'append': return `[{"op":"add","path":${JSON.stringify(`${pointer(at)}/-`)},"value":${text}}]`;
    case 'increment': return `[{"op":"increment","path":${JSON.stringify(pointer(at))},"value":${text}}]`;
    case 'remove': return `[{"op":"remove","path":${JSON.stringify(pointer(at))}}]`;
    default: throw new Error(`there is no step ${kind}`);
  }
}

/** The reference in the two ways in which it writes: what it checks itself, and texts that only the server checks. */
class Reference {
  constructor() {
    this.clients = ['early', 'late'].map((each) => new Client(address, `reference ${each}`, WebSocket, 20));
  }

  join(identifier, isLate) {
    const client = this.clients[isLate ? 1 : 0];
    return { client, state: client.join(identifier) };
  }

  view({ state }) { return state.isJoined || state.value ? state.value : undefined; }
  watch({ state }, call) { state.watchers.add(call); }
  leave({ client, state }) { client.leave(state); }

  async change({ client, state }, { raw, ...step }) {
    const { do: kind, text } = step;
    if (kind === 'ops') return client.change(state, 'patch', text);
    if (kind !== 'merge' && kind !== 'transaction') {
      return client.change(state, 'patch', canonical(resolve(state.value, parsePatch(patchText(step)))));
    }
    if (raw) return client.change(state, kind, text);
    const updates = parse(text);
    if (!text.trim().startsWith('{')) throw new Refusal('invalid_patch', 'updates are an object');
    return client.change(state, kind, canonical(updates));
  }
}

/** The module, to which plain JavaScript values are given. */
class Module {
  async start() {
    const [wasmExec, module] = files;
    vm.runInThisContext(readFileSync(wasmExec, 'utf8'));
    const go = new globalThis.Go();
    const { instance } = await WebAssembly.instantiate(readFileSync(module), go.importObject);
    void go.run(instance);
    this.clients = ['early', 'late'].map((each) => globalThis.serverStateSync.connect(address, `wasm ${each}`));
  }

  join(identifier, isLate) {
    const state = this.clients[isLate ? 1 : 0].state(identifier);
    const joined = { state, isReady: false, watchers: new Set() };
    const tell = () => joined.watchers.forEach((call) => call());
    state.addStateUpdateListener('conformance', tell);
    state.ready().then(() => { joined.isReady = true; }, (error) => { joined.error = error; }).then(tell);
    return joined;
  }

  view(joined) {
    if (joined.error) throw joined.error;
    return joined.isReady ? joined.state.getState() : undefined;
  }

  watch(joined, call) { joined.watchers.add(call); }
  leave({ state }) { return state.leave(); }

  async change({ state }, step) {
    const { do: kind, text } = step;
    switch (kind) {
      case 'merge': return { version: await state.updateState(JSON.parse(text)) };
      case 'transaction': return { version: await state.updateState(() => JSON.parse(text)) };
      case 'js': return { version: await state.updateState(vm.runInThisContext(text)) };
      default: return { version: await state.patchState(JSON.parse(patchText(step))) };
    }
  }
}

const end = role === 'wasm' ? new Module() : new Reference();
await end.start?.();
const joined = new Map(); // by key

/** Waits until the view is there, and passes the test. */
function until(of, passes) {
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        const view = end.view(of);
        if (view !== undefined && passes(view)) resolve(view);
      } catch (error) {
        reject(error);
      }
    };
    end.watch(of, look);
    look();
  });
}

async function answer({ do: what, key, state, late, step }) {
  switch (what) {
    case 'join':
      joined.set(key, end.join(state, late));
      return { text: canonical(await until(joined.get(key), () => true)) };
    case 'change':
      return end.change(joined.get(key), step);
    case 'fenced':
      return { text: canonical(await until(joined.get(key), (view) => Object.hasOwn(view, fence))) };
    case 'leave':
      await end.leave(joined.get(key));
      joined.delete(key);
      return {};
    default:
      throw new Error(`there is no request ${what}`);
  }
}

/** The answer that an error is: its code where it has one. */
const failed = (error) => ({ code: String(error?.code ?? error?.name ?? error), reason: String(error?.stack ?? error) });

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const request = JSON.parse(line);
  const { id } = request;
  const answered = await answer(request).catch(failed);
  process.stdout.write(`${JSON.stringify({ id, ...answered, ...(answered.code === undefined ? {} : { code: String(answered.code) }) })}\n`);
});
lines.on('close', () => process.exit(0)); // the test has ended
