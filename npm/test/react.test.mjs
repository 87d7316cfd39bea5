// React in jsdom, against the built server.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { JSDOM } from 'jsdom';
import { options, serve, until } from './server.mjs';

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/' });
for (const name of ['window', 'document', 'navigator', 'HTMLElement', 'MutationObserver', 'Node']) {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: name === 'window' ? window : window[name] });
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const React = await import('react');
const { createElement: h, StrictMode, Suspense, useSyncExternalStore } = React;
const { act, cleanup, fireEvent, render, screen } = await import('@testing-library/react');
const { renderToString } = await import('react-dom/server');
const { useStore } = await import('zustand');
const { Client } = await import('server-state-sync');
const sync = await import('server-state-sync/react');

let server, other;
before(async () => {
  server = await serve({ chat: { topic: 'tea', n: 0, list: [1, 2] }, second: { n: 100 } });
  other = new Client(server.endpoint, 'other', '', options);
  await other.connectToState('chat');
});
afterEach(() => cleanup());
after(async () => {
  await other.close();
  await server.stop();
});

/** until, while React renders by itself as it does in a page. */
async function seen(condition, what = String(condition)) {
  globalThis.IS_REACT_ACT_ENVIRONMENT = false;
  await until(condition, what);
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
}
const text = (id) => screen.queryByTestId(id)?.textContent;
const Provider = (props) => h(sync.SyncProvider, { endpoint: server.endpoint, clientIdentifier: 'me', options, ...props });

/** A client whose connections are counted. */
function counting() {
  const sockets = { made: 0, open: 0 };
  class Counted extends options.WebSocket {
    constructor(...args) {
      super(...args);
      sockets.made++;
      sockets.open++;
      this.addEventListener('close', () => sockets.open--);
    }
  }
  return { sockets, options: { WebSocket: Counted } };
}

test('hooks read, write and render only for what they read; StrictMode makes one connection, and unmounting ends it', async () => {
  const { StateProvider, useSharedState, useSelector, useConnectionStatus, useStateStatus, useStateHandle, useSyncClient } = sync.createSyncHooks();
  const used = new Set();
  const renders = { topic: 0, n: 0, list: 0 };
  const Topic = () => {
    const [topic, setTopic] = useSharedState('topic', 'none');
    renders.topic++;
    return h('input', { 'data-testid': 'topic', value: topic, onChange: (event) => setTopic(event.target.value) });
  };
  const Count = () => {
    const [n, setN] = useSharedState('n');
    renders.n++;
    return h('button', { 'data-testid': 'n', onClick: () => { setN((previous) => previous + 1); setN((previous) => previous + 1); } }, String(n));
  };
  const Long = () => {
    const long = useSelector((state) => state.list?.filter((each) => each > 1) ?? [], sync.shallow);
    renders.list++;
    return h('p', { 'data-testid': 'list' }, long.join());
  };
  const Status = () => {
    const [client, handle] = [useSyncClient(), useStateHandle()];
    React.useEffect(() => void used.add(client).add(handle), [client, handle]);
    return h('p', { 'data-testid': 'status' }, useConnectionStatus().phase + ' ' + useStateStatus().status);
  };
  const counted = counting();
  const view = render(h(StrictMode, null, h(Provider, { options: counted.options }, h(StateProvider, { state: 'chat', initialState: { n: -1 } }, h(Topic), h(Count), h(Long), h(Status)))));
  assert.equal(text('n'), '-1', 'the initial state is shown at first');
  assert.equal(screen.getByTestId('topic').value, 'none');
  await seen(() => text('status') === 'connected ready');
  assert.equal(text('n'), '0');
  assert.equal(text('list'), '2');
  assert.deepEqual(counted.sockets, { made: 1, open: 1 });
  assert.equal(used.size, 2, 'the client and the handle from before the second mount are used on');

  const before = { ...renders };
  fireEvent.change(screen.getByTestId('topic'), { target: { value: 'coffee' } });
  assert.equal(screen.getByTestId('topic').value, 'coffee', 'a typed letter is there when the event is over');
  await seen(() => other.getState().topic === 'coffee');
  assert.deepEqual({ ...renders, topic: 0 }, { ...before, topic: 0 }, 'only the reader of topic has rendered');
  fireEvent.click(screen.getByTestId('n'));
  assert.equal(text('n'), '2');
  await act(() => other.updateState((state) => ({ list: [...state.list, 0], n: state.n + 40 })));
  await seen(() => text('n') === '42');
  assert.equal(renders.list, before.list, 'a selection that is equal does not render');
  await act(() => other.append('list', 3));
  await seen(() => text('list') === '2,3');
  view.unmount();
  await until(() => counted.sockets.open === 0, 'the connection ends');
  await other.updateState({ topic: 'tea', n: 0, list: [1, 2] });
});

test('a component that comes back after its end has a connection again', async () => {
  const { StateProvider, useSharedState } = sync.createSyncHooks();
  const Count = () => h('p', { 'data-testid': 'n' }, String(useSharedState('n')[0]));
  const counted = counting();
  const tree = (shown) => h(React.Activity, { mode: shown ? 'visible' : 'hidden' },
    h(Provider, { options: counted.options }, h(StateProvider, { state: 'chat' }, h(Count))));
  const view = render(tree(true));
  await seen(() => text('n') === '0');
  view.rerender(tree(false));
  await seen(() => counted.sockets.open === 0);
  view.rerender(tree(true));
  await seen(() => counted.sockets.open === 1);
  await act(() => other.updateState({ n: 5 }));
  await seen(() => text('n') === '5');
  await act(() => other.updateState({ n: 0 }));
});

test('the newest access token is the one that is sent', async () => {
  const guarded = await serve({ chat: {} }, '--token', 'secret');
  const Phase = () => h('p', { 'data-testid': 'phase' }, sync.useConnectionStatus().phase);
  const tree = (accessToken) => h(Provider, { endpoint: guarded.endpoint, accessToken }, h(Phase));
  for (const token of ['secret', async () => 'secret']) {
    const view = render(tree('old'));
    view.rerender(tree(token)); // before the module is there, so before the first attempt
    await seen(() => ['connected', 'failed'].includes(text('phase')));
    assert.equal(text('phase'), 'connected');
    view.unmount();
  }
  await guarded.stop();
});

test('another state is another handle, and a missing one is an error', async () => {
  const { StateProvider, useSharedState, useStateStatus } = sync.createSyncHooks();
  const Show = () => {
    const { status, error } = useStateStatus();
    return h('p', { 'data-testid': 'show' }, `${status} ${error?.code} ${useSharedState('n')[0]}`);
  };
  const client = new Client(server.endpoint, 'given', '', options);
  const tree = (state) => h(sync.SyncProvider, { client }, h(StateProvider, { state, fallback: h('p', { 'data-testid': 'wait' }, 'wait') }, h(Show)));
  const view = render(tree('chat'));
  assert.equal(text('wait'), 'wait');
  await seen(() => text('show') === 'ready undefined 0');
  view.rerender(tree('second'));
  await seen(() => text('show') === 'ready undefined 100');
  const Bare = () => h('p', { 'data-testid': 'bare' }, useStateStatus().error?.code ?? 'none');
  view.rerender(h(sync.SyncProvider, { client }, h(StateProvider, { state: 'missing' }, h(Bare))));
  await seen(() => text('bare') === 'state_not_found');
  view.unmount();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(client.status.phase, 'connected', 'a client that was given is not closed');
  await client.close();
});

test('where a fallback stands for a state that cannot be had, the error reaches the boundary above, and a new attempt may work', async (t) => {
  t.mock.method(console, 'error', () => {}); // React tells every error that a boundary has caught
  class Boundary extends React.Component {
    state = { error: null };
    static getDerivedStateFromError(error) { return { error }; }
    render() {
      const { error } = this.state;
      return error ? h('button', { 'data-testid': 'caught', onClick: () => this.setState({ error: null }) }, error.code) : this.props.children;
    }
  }
  const { StateProvider, useSharedState } = sync.createSyncHooks();
  const Show = () => h('p', { 'data-testid': 'show' }, String(useSharedState('n')[0]));
  const tree = (state, given) => h(StrictMode, null, h(Provider, given, h(Boundary, null,
    h(StateProvider, { state, fallback: h('p', { 'data-testid': 'wait' }, 'wait') }, h(Show)))));
  const view = render(tree('missing'));
  assert.equal(text('wait'), 'wait');
  await seen(() => text('caught') === 'state_not_found');
  view.rerender(tree('chat'));
  fireEvent.click(screen.getByTestId('caught'));
  await seen(() => text('show') === '0');
  view.unmount();
  const guarded = await serve({ chat: {} }, '--token', 'secret');
  render(tree('chat', { endpoint: guarded.endpoint, accessToken: 'wrong' }));
  await seen(() => text('caught') === 'unauthorized');
  cleanup();
  const counted = counting();
  const hidden = (mode) => h(React.Activity, { mode }, tree('chat', { options: counted.options }));
  const activity = render(hidden('visible'));
  await seen(() => text('show') === '0');
  activity.rerender(hidden('hidden'));
  await seen(() => counted.sockets.open === 0);
  activity.rerender(hidden('visible'));
  await seen(() => text('show') === '0' && counted.sockets.open === 1);
  assert.equal(text('caught'), undefined, 'what was left in between is no error');
  activity.unmount();
  await guarded.stop();
});

test('a mutation tells what is pending and why it was refused', async () => {
  const { StateProvider, useMutation, useStateUpdateListener, useSharedState } = sync.createSyncHooks();
  const heard = [];
  const Show = () => {
    const add = useMutation((current, by) => ({ n: current.n + by }));
    const spoil = useMutation(() => ({ n: 2 ** 53 }));
    const [n] = useSharedState('n');
    useStateUpdateListener(['n'], (updates) => heard.push(updates.n));
    return h('button', { 'data-testid': 'b', onClick: (event) => (event.shiftKey ? spoil() : add(3)) }, `${n} ${add.pending} ${spoil.error?.code}`);
  };
  render(h(StrictMode, null, h(Provider, null, h(StateProvider, { state: 'chat' }, h(Show)))));
  await seen(() => text('b') === '0 0 undefined');
  fireEvent.click(screen.getByTestId('b'));
  assert.equal(text('b'), '3 1 undefined');
  await seen(() => text('b') === '3 0 undefined');
  fireEvent.click(screen.getByTestId('b'), { shiftKey: true });
  await seen(() => text('b') === '3 0 number_out_of_range');
  assert.deepEqual(heard.filter((n) => n !== 0), [3], 'the listener is there once');
  await other.updateState({ n: 0 });
});

test('a listener of updates ends with its component', async () => {
  const { StateProvider, useStateUpdateListener, useSharedState } = sync.createSyncHooks();
  const heard = [];
  const Ears = () => {
    useStateUpdateListener(['n'], (updates) => heard.push(updates.n));
    return null;
  };
  const Show = () => h('p', { 'data-testid': 'n' }, String(useSharedState('n')[0]));
  const tree = (ears) => h(Provider, null, h(StateProvider, { state: 'chat' }, h(Show), ears ? h(Ears) : null));
  const view = render(tree(true));
  await seen(() => text('n') === '0');
  for (const n of [1, 2]) {
    await act(() => other.updateState({ n }));
    await seen(() => text('n') === String(n));
    view.rerender(tree(false));
  }
  assert.deepEqual(heard.filter((n) => n !== 0), [1]);
  await act(() => other.updateState({ n: 0 }));
});

test('the suspense hooks wait for the state, wherever the providers stand', async () => {
  const { StateProvider, suspense } = sync.createSyncHooks();
  const Show = () => h('p', { 'data-testid': 'n' }, suspense.useSharedState('n')[0] + suspense.useSelector((state) => state.topic));
  const client = new Client(server.endpoint, 'given', '', options);
  for (const tree of [
    h(sync.SyncProvider, { client }, h(StateProvider, { state: 'chat' }, h(Suspense, { fallback: h('p', { 'data-testid': 'wait' }, 'wait') }, h(Show)))),
    h(Suspense, { fallback: h('p', { 'data-testid': 'wait' }, 'wait') }, h(sync.SyncProvider, { client }, h(StateProvider, { state: 'chat' }, h(Show)))),
  ]) {
    const view = render(h(StrictMode, null, tree));
    await seen(() => text('n') === '0tea');
    view.unmount();
  }
  assert.equal(client.state('chat').status, 'joined', 'it is kept for a while, because React may come back');
  await until(() => client.state('chat').status === 'idle', 'nobody uses the state, and it is left');
  await client.close();
});

test('a suspense hook leaves the initial state to its neighbors', async () => {
  const { StateProvider, useSelector, suspense } = sync.createSyncHooks();
  const shown = [];
  const Now = () => {
    shown.push(useSelector((state) => state.topic));
    return h('p', { 'data-testid': 'now' }, shown.at(-1));
  };
  const Late = () => h('p', { 'data-testid': 'n' }, suspense.useSharedState('topic')[0]);
  const client = new Client(server.endpoint, 'neighbors', '', options);
  const view = render(h(sync.SyncProvider, { client },
    h(StateProvider, { state: 'chat', initialState: { topic: 'initial' } }, h(Suspense, { fallback: 'wait' }, h(Late)), h(Now))));
  await seen(() => text('n') === 'tea' && text('now') === 'tea');
  assert.deepEqual([...new Set(shown)], ['initial', 'tea']);
  view.unmount();
  await client.close();
});

test('zustand and useSyncExternalStore take clients and handles as they are', async () => {
  const client = new Client(server.endpoint, 'stores', '', options);
  await client.connectToState('chat');
  const handle = client.state('chat');
  const Show = () => {
    const state = useSyncExternalStore(handle.subscribe, handle.getState, handle.getInitialState);
    return h('p', { 'data-testid': 'n' }, `${useStore(client, (chat) => chat.n)} ${useStore(handle, (chat) => chat.n)} ${state.n}`);
  };
  render(h(Show));
  assert.equal(text('n'), '0 0 0');
  await act(() => client.updateState({ n: 7 }));
  assert.equal(text('n'), '7 7 7');
  await act(() => client.updateState({ n: 0 }));
  handle.leave();
  await client.close();
});

test('the server renders the initial state, makes no connection, and the browser takes over', async () => {
  const { StateProvider, useSharedState, useConnectionStatus, suspense } = sync.createSyncHooks();
  const counted = counting();
  const Show = () => h('p', { 'data-testid': 'n' }, `${useSharedState('n')[0]} ${useConnectionStatus().phase}`);
  const Late = () => h('p', { 'data-testid': 'late' }, String(suspense.useSharedState('n')[0]));
  const tree = h(Provider, { options: counted.options }, h(StateProvider, { state: 'chat', initialState: { n: -7 } }, h(Show),
    h(Suspense, { fallback: 'later' }, h(Late))));
  const dom = globalThis.document;
  delete globalThis.document;
  const html = renderToString(tree);
  globalThis.document = dom;
  assert.match(html, /-7 idle/);
  assert.match(html, /later/);
  assert.equal(counted.sockets.made, 0);
  const container = document.body.appendChild(document.createElement('div'));
  container.innerHTML = html;
  const complaints = [];
  const { error } = console;
  console.error = (...args) => complaints.push(String(args[0]));
  const view = render(tree, { container, hydrate: true, onRecoverableError: () => undefined });
  await seen(() => text('n') === '0 connected' && text('late') === '0');
  console.error = error;
  assert.deepEqual(complaints.filter((line) => /hydrat|did not match/i.test(line)), []);
  view.unmount();
});

test('without a provider the hooks say what is missing', () => {
  const { error } = console;
  console.error = () => {};
  assert.throws(() => render(h(() => sync.useConnectionStatus().phase)), /SyncProvider/);
  assert.throws(() => render(h(() => sync.useSharedState('n')[0])), /StateProvider/);
  console.error = error;
});
