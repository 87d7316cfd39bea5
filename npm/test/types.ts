// What must compile, with lib ES2020 and all library checks; and, marked, what must not.
import { Client, SyncError, init, version, type ConnectionStatus, type Read, type State, type SyncErrorCode } from 'server-state-sync';
import { Client as SlimClient, init as slimInit } from 'server-state-sync/slim';

interface Message { content: string }
interface Chat { messages: Message[]; topic: string; count: number; extra?: { deep: number[] } }
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
interface Odd { pair: [number, string[]]; fixed: readonly Message[]; json: Json; any: any; table: { [name: string]: Message[] } }

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => undefined;

export async function allOfIt(): Promise<void> {
  await init();
  const client = new Client<Chat>('ws://localhost:5000', 'userIdentifier', 'accessToken');
  const untyped = new Client({ href: 'ws://localhost' }, 'me', async () => null, {
    autoConnect: false, tokenInQuery: true, backoff: { shortestMs: 1, longestMs: 2 }, connectTimeoutMs: 1, pendingLimit: { changes: 1, bytes: 1 },
  });
  const state = await client.connectToState('chat');
  same<typeof state.topic, string>(true);
  same<ReturnType<typeof untyped.getState>, { readonly [property: string]: unknown }>(true);

  client.addStateUpdateListener('one', (updates, previous, detail) => {
    same<keyof typeof updates, 'messages'>(true);
    const messages: Message[] = updates.messages;
    same<typeof messages.length, number>(true);
    previous.messages.map((message) => message.content);
    same<typeof detail.origin, 'local' | 'remote' | 'rollback' | 'catch-up'>(true);
  }, ['messages']);
  client.addStateUpdateListener('two', (updates) => updates.messages?.length, ['messages', 'topic']);
  client.addStateUpdateListener('all', (updates) => updates.extra?.deep);

  const made: number = await client.updateState({ topic: 'tea' });
  await client.updateState((current) => (current.count > made ? { count: 0 } : undefined));
  await client.append('messages', { content: 'a' }, { content: 'b' });
  await client.append(['extra', 'deep'], 1, 2);
  await client.insert('messages', 0, { content: 'a' });
  await client.increment('count');
  await client.increment(['extra', 'deep', 0], 2);
  await client.remove('extra');
  await client.remove('messages', state.messages[0]!);
  await client.set('topic', 'coffee');
  await client.patchState([{ op: 'increment', path: '/count', value: 1 }, { op: 'move', from: '/a', path: '/b' }]);

  const other: State<{ n: number }> = client.state<{ n: number }>('other', { initialState: { n: 1 } });
  const n: number = (await other.ready()).n;
  const off: () => void = other.subscribe((now, previous) => now.n - previous.n - n);
  off();
  other.leave();
  const status: ConnectionStatus = client.status;
  client.onStatus((now) => now.phase === status.phase);
  const error = await client.onError();
  const code: SyncErrorCode = error.code;
  client.onError((failure) => failure.code === code)();
  if (error instanceof SyncError) throw new SyncError('unknown', version, error);
  await client.close();
  await slimInit('/client.wasm');
  const slim: Client<Chat> = new SlimClient<Chat>('ws://localhost', 'me', undefined, { wasm: new Uint8Array() });
  slim.connect();

  // @ts-expect-error the clientIdentifier is missing
  new Client('ws://localhost:5000');
  // @ts-expect-error a number is no endpoint
  new Client(5000, 'me');
  // @ts-expect-error the longest wait is missing
  new Client('ws://localhost', 'me', null, { backoff: { shortestMs: 1 } });
  // @ts-expect-error no such property
  client.updateState({ topics: 'tea' });
  // @ts-expect-error a number is no topic
  client.updateState({ topic: 1 });
  // @ts-expect-error the function must not be async
  client.updateState(async () => ({ topic: 'tea' }));
  // @ts-expect-error topic is no array
  client.append('topic', 'x');
  // @ts-expect-error not an element of messages
  client.append('messages', { text: 'x' });
  // @ts-expect-error topic is no number
  client.increment('topic');
  // @ts-expect-error no such property
  client.addStateUpdateListener('x', () => undefined, ['nothing']);
  // @ts-expect-error increment adds a number
  client.patchState([{ op: 'increment', path: '/count', value: '1' }]);
  // @ts-expect-error the status cannot be written to
  client.status.phase = 'failed';
  // @ts-expect-error there is no such code
  same<typeof error.code, 'no_such_code'>(true);
  // @ts-expect-error an initial state of another shape
  client.state<{ n: number }>('other', { initialState: { m: 1 } });
  // @ts-expect-error slim's init needs a source
  slimInit();
}

/** What is read goes wherever a value of its own type goes, and none of it can be written to. */
export async function whatIsRead(client: Client<Chat>, odd: State<Odd>): Promise<void> {
  const state = client.getState();
  const whole: Chat = state;
  const copy: Chat = { ...state, messages: [...state.messages, { content: 'x' }] };
  let messages = state.messages;
  messages = messages.filter((message) => message.content !== '');
  messages = [...messages, { content: 'x' }];
  const sorted = [...messages].sort((one, other) => one.content.localeCompare(other.content));
  sorted.push({ content: 'x' });
  const read: Read<Chat> = copy;
  const again: Read<Read<Chat>> = read;
  const { pair, fixed, json, any, table } = odd.getState();
  const odds: Odd = { pair, fixed, json, any, table };
  await client.updateState((current) => ({ messages: [...current.messages, { content: odds.pair[1][0] ?? whole.topic }] }));
  await client.updateState((current) => ({ messages: current.messages.slice(-100), ...(current.extra && { extra: current.extra }) }));
  await client.updateState((current) => ({ ...current, messages: current.messages.map((message) => ({ ...message, content: again.topic })) }));
  await client.set('messages', state.messages);
  await client.remove('messages', state.messages.find((message) => message.content === 'x'));
  const topicOf = <S extends { topic: string }>(handle: State<S>): string => handle.getState().topic;
  topicOf(client.state<Chat>('chat'));

  // @ts-expect-error a property
  state.topic = 'tea';
  // @ts-expect-error a property that may go
  delete state.extra;
  // @ts-expect-error an array's methods
  state.messages.push({ content: 'x' });
  // @ts-expect-error also deeper
  state.extra?.deep.sort();
  // @ts-expect-error an element
  state.messages[0] = { content: 'x' };
  // @ts-expect-error the length
  state.messages.length = 0;
  // @ts-expect-error what an element has
  state.messages[0]!.content = 'x';
  // @ts-expect-error a member of a table
  table['a'] = [];
  // @ts-expect-error an array in a table
  table['a']?.splice(0, 1);
  // @ts-expect-error an array in a tuple
  pair[1].push('x');
  // @ts-expect-error an element of what is readonly already
  fixed[0]!.content = 'x';
  // @ts-expect-error what connectToState resolves with
  (await client.connectToState('chat')).topic = 'tea';
  // @ts-expect-error what ready resolves with
  (await odd.ready()).fixed = [];
  // @ts-expect-error what an update function is given
  client.updateState((current) => { current.messages.push({ content: 'x' }); return undefined; });
  // @ts-expect-error what a listener is given
  client.addStateUpdateListener('one', (updates) => updates.messages.pop(), ['messages']);
  // @ts-expect-error what a subscriber is given
  client.subscribe((now) => { now.topic = 'tea'; });
}
