// What must compile of the React entry and beside it, and what must not.
import { useState, useSyncExternalStore, type ReactNode } from 'react';
import { useStore } from 'zustand';
import { Client, type State } from 'server-state-sync';
import { createSyncHooks, shallow, StateProvider as AnyProvider, SyncProvider, useSharedState as useAny } from 'server-state-sync/react';

interface Chat { messages: { content: string }[]; topic: string; count?: number }

const { StateProvider, useSharedState, useSelector, useMutation, useStateUpdateListener, suspense } = createSyncHooks<Chat>();

const { StateProvider: Optional } = createSyncHooks<Partial<Chat>>();

export function App(): ReactNode {
  return (
    <SyncProvider endpoint="ws://localhost:5000" clientIdentifier="me" accessToken={async () => 'token'}>
      <StateProvider state="chat" initialState={{ messages: [], topic: '' }} fallback={<p>...</p>}><Reader /></StateProvider>
    </SyncProvider>
  );
}

export function Given({ client }: { client: Client<Chat> }): ReactNode {
  return <SyncProvider client={client}><Reader /></SyncProvider>;
}

function Reader(): ReactNode {
  const [topic, setTopic] = useSharedState('topic');
  const [count, setCount] = useSharedState('count', 0);
  const [state, update] = useSharedState();
  const first: string | undefined = useSelector((chat) => chat.messages.map((message) => message.content), shallow)[0];
  const rename = useMutation((current, name: string) => ({ topic: current.topic + name }));
  useStateUpdateListener(['topic'], (updates) => updates.topic?.length);
  const [messages] = suspense.useSharedState('messages');
  const [unknown] = useAny('anything');
  const [shown, setShown] = useState(messages);
  setShown([...shown, { content: topic }]);
  const { messages: given } = state;
  const own: [Chat['messages'], (next: Chat['messages']) => void] = useState<Chat['messages']>([]);
  own[1](given);
  void useMutation((current, content: string) => ({ messages: [...current.messages, { content }] }));
  const [, setMessages] = useSharedState('messages');
  void setMessages((previous) => [...previous, { content: topic }]);
  void setMessages((previous) => previous.filter((message) => message.content !== topic));
  void setTopic(topic + first);
  void setCount((previous) => previous + count);
  void update({ topic: state.topic });
  void rename('x').then((version) => version + rename.pending);
  // @ts-expect-error a number is no topic
  void setTopic(1);
  // @ts-expect-error there is no such property
  useSharedState('nothing');
  // @ts-expect-error the mutation takes a string
  void rename(1);
  // @ts-expect-error no such property to listen to
  useStateUpdateListener(['nothing'], () => undefined);
  // @ts-expect-error what a hook returns is not written to
  messages.push({ content: 'x' });
  // @ts-expect-error what a selector is given
  useSelector((chat) => chat.messages.sort());
  // @ts-expect-error what a setter's function is given
  void setMessages((previous) => { previous.push({ content: 'x' }); return previous; });
  // @ts-expect-error what a mutation is given
  useMutation((current) => { current.topic = 'x'; return current; });
  // @ts-expect-error what a listener is given
  useStateUpdateListener(['topic'], (updates) => { updates.topic = 'x'; });
  return <p>{topic}{messages.length}{String(unknown)}</p>;
}

export function Stores({ client, handle }: { client: Client<Chat>; handle: State<Chat> }): ReactNode {
  const topic: string = useStore(client, (chat) => chat.topic);
  const messages: Chat['messages'] = useStore(handle, (chat) => chat.messages);
  const state: Chat = useSyncExternalStore(handle.subscribe, handle.getState, handle.getInitialState);
  // @ts-expect-error a provider needs a client or an endpoint
  void (<SyncProvider />);
  // @ts-expect-error the children would read a topic before there is one
  void (<StateProvider state="chat"><Reader /></StateProvider>);
  void (<StateProvider state="chat" fallback="..."><Reader /></StateProvider>);
  void (<suspense.StateProvider state="chat"><Reader /></suspense.StateProvider>);
  void (<AnyProvider state="chat" />);
  void (<Optional state="chat" />);
  // @ts-expect-error the initial state has another shape
  void (<StateProvider state="chat" initialState={{ topic: 1 }} />);
  return <p>{topic}{messages.length}{state.topic}</p>;
}
