// What a developer wants to see of the connection.
import { useEffect, useReducer, useState, type FormEvent } from 'react';
import type { ConnectionStatus, State } from 'server-state-sync';
import { meter } from './meter.js';
import type { Room } from './room.js';

interface DevelopersProps { readonly state: State<Room>; readonly connection: ConnectionStatus }

export function Developers({ state, connection }: DevelopersProps) {
  const [open, setOpen] = useState(false);
  const [, tick] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = open ? setInterval(tick, 500) : undefined;
    return () => clearInterval(timer);
  }, [open]);
  const facts: [string, string][] = [
    ['Version', String(state.version)],
    ['Pending', String(connection.pending)],
    ['Bytes in', String(meter.bytesIn)],
    ['Bytes out', String(meter.bytesOut)],
    ['Messages in', String(meter.messagesIn)],
    ['Messages out', String(meter.messagesOut)],
    ['Latency', connection.latencyMs === null ? 'unknown' : `${Math.round(connection.latencyMs)} ms`],
    ['Module', moduleSize()],
  ];
  return (
    <details className="developers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>For developers</summary>
      <dl>{facts.map(([term, fact]) => <div key={term}><dt>{term}</dt><dd>{fact}</dd></div>)}</dl>
      <button type="button" onClick={meter.cut}>Cut the connection</button>
    </details>
  );
}

/** What the module weighed on its way here. */
function moduleSize(): string {
  const bytes = Number(document.querySelector<HTMLLinkElement>('#module')?.dataset['small']);
  return `${Math.round(bytes / 1000).toLocaleString()} KB`;
}

/** The way to another room. */
export function Rooms({ room }: { readonly room: string }) {
  const [name, setName] = useState('');
  const go = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() && name.trim() !== room) location.href = `/react/${encodeURIComponent(name.trim())}${location.search}`;
  };
  return (
    <form className="rooms" onSubmit={go}>
      <label>Another room <input value={name} onChange={(event) => setName(event.target.value)} maxLength={40} pattern="\s*[^.\s].*" title="A room's name begins with a letter or a digit." autoComplete="off" placeholder={room} /></label>
      <button type="submit">Go there</button>
    </form>
  );
}
