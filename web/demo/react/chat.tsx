// The chat in React on the npm package; grown from the README's example.
import { StrictMode, useCallback, useEffect, useMemo, useReducer, useRef, useState, useSyncExternalStore, type FormEvent } from 'react';
import { createRoot } from 'react-dom/client';
import { init, type ConnectionStatus } from 'server-state-sync';
import { createSyncHooks } from 'server-state-sync/react';
import { Developers, Rooms } from './developers.js';
import { List } from './list.js';
import { MeteredWebSocket } from './meter.js';
import { fetchModule, loaded, notLoaded } from './module.js';
import { itemsOf, kept, random, sentence, unsettled, type Message, type Own, type Room } from './room.js';

const { SyncProvider, StateProvider, useStateHandle, useStateStatus, useSyncClient, useConnectionStatus } = createSyncHooks<Room>();

/** The room that the address names; one that is badly escaped is refused by the server, with a sentence. */
function roomOf(path: string): string {
  const name = path.split('/')[2] ?? 'lobby';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const query = new URLSearchParams(location.search);
const room = roomOf(location.pathname);
/** The name of somebody who gives none. */
const guest = query.get('guest') || 'Anonymous';
/** Ends the keys of what the browser keeps of its user; not empty: of one of several, who share it. */
const person = query.get('guest') ? `-${guest}` : '';
const identifier = kept.get(`chat-client${person}`) || random();
kept.set(`chat-client${person}`, identifier);

const none: readonly Message[] = [];

/** How many messages are shown at first, and more each time; the list begins at a multiple of half of it, so that it does not shift with every message. */
const shown = 100;

/**
 * The room's messages, as `useSharedState('messages', none)` has them; many that come within a frame are drawn once. A tab
 * in the background has no frames, and looks ten times in a second.
 */
function useMessages(): readonly Message[] {
  const state = useStateHandle();
  const subscribe = useCallback((draw: () => void) => {
    let frame = 0, timer = 0;
    const cancel = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      frame = timer = 0;
    };
    const due = (): void => {
      cancel();
      draw();
    };
    const unsubscribe = state.subscribe(() => {
      if (timer) return;
      frame = requestAnimationFrame(due);
      timer = setTimeout(due, 100);
    });
    return () => {
      unsubscribe();
      cancel();
    };
  }, [state]);
  return useSyncExternalStore(subscribe, () => state.getState().messages ?? none);
}

/** The messages of this page that have no verdict, or were refused. */
function useOwn(messages: readonly Message[]) {
  const [own, setOwn] = useState(() => unsettled.get(room));
  const state = useStateHandle();
  useEffect(() => unsettled.set(room, own), [own]);
  useEffect(() => { // messages that the page before this one had sent after all
    if (!own.some((o) => o.refused !== undefined)) return;
    const there = new Set(messages.map((message) => message.id));
    const arrived = (o: Own): boolean => o.refused !== undefined && there.has(o.message.id);
    if (own.some(arrived)) setOwn((all) => all.filter((o) => !arrived(o)));
  }, [own, messages]);
  const drop = useCallback((id: string): void => setOwn((all) => all.filter((o) => o.message.id !== id)), []);
  const send = async (message: Message): Promise<void> => {
    setOwn((all) => [...all, { message }]);
    try {
      await state.ready();
      await state.append('messages', message);
      drop(message.id);
    } catch (error) {
      setOwn((all) => all.map((o) => (o.message.id === message.id ? { message, refused: sentence(error) } : o)));
    }
  };
  return { own, drop, send };
}

/** What to show of the connection, anew every second while the client waits, and what a screen reader says of it. */
function useConnection(): { text: string; announcement: string; connection: ConnectionStatus; ended: string } {
  const connection = useConnectionStatus();
  const { status, error } = useStateStatus();
  const [, tick] = useReducer((n: number) => n + 1, 0);
  const waiting = connection.phase === 'waiting';
  useEffect(() => {
    const timer = waiting ? setInterval(tick, 500) : undefined;
    addEventListener('online', tick);
    addEventListener('offline', tick);
    return () => {
      clearInterval(timer);
      removeEventListener('online', tick);
      removeEventListener('offline', tick);
    };
  }, [waiting]);
  const failure = connection.phase === 'failed' ? connection.lastError : status === 'error' ? error : null;
  const ended = failure ? sentence(failure) : '';
  const seconds = Math.max(1, Math.ceil(((connection.nextRetryAt ?? 0) - Date.now()) / 1000));
  const text = ended ? `Ended: ${ended}` : !navigator.onLine ? 'Offline' : waiting ? `Reconnecting in ${seconds} s`
    : connection.connected && status === 'ready' ? 'Connected' : 'Connecting';
  const announcement = useAnnouncement(text === 'Connected', ended !== '');
  return { text, announcement, connection, ended };
}

/** A loss and a return are said once each. The seconds between them would be said one by one; the alert tells an end. */
function useAnnouncement(connected: boolean, ended: boolean): string {
  const [served, setServed] = useState(connected); // it was connected since it has entered
  if (connected && !served) setServed(true);
  if (ended) return '';
  if (connected) return 'Connected';
  return served ? 'The connection is lost. What you write is sent when it is back.' : 'Connecting';
}

/** The notice that stands until it is closed. */
function useNotice(): [string, (text: string) => void] {
  const [notice, setNotice] = useState('');
  const client = useSyncClient();
  useEffect(() => client.onError((error) => {
    if (error.code === 'state_replaced') setNotice(sentence(error));
  }), [client]);
  return [notice, setNotice];
}

function Chat({ again }: { readonly again: () => void }) {
  const messages = useMessages();
  const state = useStateHandle();
  const { own, drop, send } = useOwn(messages);
  const { text: status, announcement, connection, ended } = useConnection();
  const [notice, setNotice] = useNotice();
  const [name, setName] = useState(() => query.get('name') || kept.get(`chat-name${person}`));
  const [text, setText] = useState('');
  const [most, setMost] = useState(shown);
  const [sends, countSend] = useReducer((n: number) => n + 1, 0);
  const writing = useRef<HTMLInputElement>(null);
  useEffect(() => kept.set(`chat-name${person}`, name), [name]);

  const from = Math.max(0, Math.floor((messages.length - most) / (shown / 2)) * (shown / 2));
  const onSend = (event: FormEvent): void => {
    event.preventDefault();
    if (!text.trim()) return;
    void send({ id: random(), from: name.trim() || guest, text: text.trim(), at: Date.now() });
    setText('');
    countSend();
  };
  const onEdit = useCallback((message: Message): void => {
    setText(message.text);
    drop(message.id);
    writing.current?.focus();
  }, [drop]);
  const onEarlier = useCallback(() => setMost((all) => all + shown), []);
  const items = useMemo(() => itemsOf(messages, own, from), [messages, own, from]);
  const alert = ended || notice;
  return (
    <main className="chat">
      <header>
        <h1><bdi>{room}</bdi></h1>
        <span className="badge">React</span>
        <p className="connection" role="status" aria-label="Connection" aria-live="off" data-phase={ended ? 'ended' : status === 'Connected' ? 'connected' : 'waiting'}>{status}</p>
        <p className="unseen" role="status" aria-label="Announcement">{announcement}</p>
      </header>
      <div className="alerts" role="alert">
        {alert && <p>{alert}</p>}
        {alert && (ended ? <button type="button" onClick={again}>Connect again</button> : <button type="button" onClick={() => setNotice('')}>Close</button>)}
      </div>
      <List items={items} earlier={from} me={name.trim() || guest} sends={sends}
        empty={status === 'Connected' ? 'Nobody has written anything here yet.' : ''} onEarlier={onEarlier} onDismiss={drop} onEdit={onEdit} />
      <form className="write" onSubmit={onSend}>
        <label className="name">Your name <input value={name} onChange={(event) => setName(event.target.value)} maxLength={40} autoComplete="nickname" placeholder={guest} /></label>
        <label className="message">Message <input ref={writing} value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" enterKeyHint="send" dir="auto" /></label>
        <button type="submit">Send</button>
      </form>
      <footer>
        <Developers state={state} connection={connection} />
        <Rooms room={room} />
      </footer>
    </main>
  );
}

function Page() {
  const [life, again] = useReducer((n: number) => n + 1, 0); // another one begins with a client of its own
  return (
    <SyncProvider key={life} endpoint={`${location.origin}/sync`} clientIdentifier={identifier} accessToken={query.get('token')} options={{ WebSocket: MeteredWebSocket }}>
      <StateProvider state={room} initialState={{ messages: [] }}><Chat again={again} /></StateProvider>
    </SyncProvider>
  );
}

document.title = `${room} · chat in React`;
init(fetchModule()).then(() => {
  loaded();
  createRoot(document.querySelector('#root') as Element).render(<StrictMode><Page /></StrictMode>);
}, notLoaded);
