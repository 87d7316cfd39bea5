// A board of messages as a user of the package writes one: where it connects to stands in the page's address.
import { useState } from 'react';
import { createSyncHooks } from 'server-state-sync/react';

interface Board { messages: string[] }
const { SyncProvider, StateProvider, useSharedState, useStateHandle, useStateStatus, useConnectionStatus } = createSyncHooks<Board>();
const query = new URLSearchParams(location.search);
const given = (name: string) => query.get(name) ?? '';

function sentence(status: ReturnType<typeof useConnectionStatus>) {
  switch (status.phase) {
    case 'connected': return 'Connected';
    case 'waiting': return 'Reconnecting';
    case 'failed': case 'closed': return `Ended: ${status.lastError?.message}`;
    default: return 'Connecting';
  }
}

function Messages() {
  const [messages] = useSharedState('messages', []);
  const [verdicts, setVerdicts] = useState<Record<string, string>>({});
  const [text, setText] = useState('');
  const handle = useStateHandle();
  const send = (message: string) => {
    const settle = (verdict: string) => setVerdicts((previous) => ({ ...previous, [message]: verdict }));
    settle('pending');
    handle.append('messages', message).then(() => settle('sent'), (error: Error) => settle(`refused: ${error.message}`));
  };
  const burst = () => { for (let i = 0; i < 300; i++) send(`burst ${i}`); };
  const status = useConnectionStatus();
  const { error } = useStateStatus();
  const refusals = Object.values(verdicts).filter((verdict) => verdict.startsWith('refused'));
  return (
    <main>
      <p role="status" aria-label="Connection">{sentence(status)}</p>
      <p role="status" aria-label="Pending">{status.pending}</p>
      {[...(error ? [error.message] : []), ...refusals].map((each, i) => <p key={i} role="alert">{each}</p>)}
      <ul role="log" aria-label="Messages">
        {messages.map((message, i) => <li key={i} data-state={verdicts[message] ?? 'sent'}>{message}</li>)}
      </ul>
      <form onSubmit={(event) => { event.preventDefault(); send(text); setText(''); }}>
        <label>Message <input value={text} onChange={(event) => setText(event.target.value)} /></label>
        <button>Send</button>
      </form>
      <button onClick={burst}>Send 300</button>
    </main>
  );
}

export default function App() {
  return (
    <SyncProvider endpoint={given('endpoint')} clientIdentifier={given('name') || 'somebody'} accessToken={query.get('token')}>
      <StateProvider state={given('state')} initialState={{ messages: [] }}><Messages /></StateProvider>
    </SyncProvider>
  );
}
