// The messages of a room: the newest ones, and where the reader stands among them.
import { memo, useLayoutEffect, useRef, useState } from 'react';
import type { Item, Message } from './room.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

interface LineProps extends Item { readonly mine: boolean; readonly onDismiss: (id: string) => void; readonly onEdit: (message: Message) => void }

/** One message. A message that is the same object as before costs nothing: whoever writes one, the others keep theirs. */
const Line = memo(function Line({ message, state, reason, mine, onDismiss, onEdit }: LineProps) {
  const at = new Date(message.at);
  return (
    <li data-state={state} className={mine ? 'mine' : undefined}>
      <p className="by">
        <bdi className="from">{message.from}</bdi> <time dateTime={at.toISOString()} title={whole.format(at)}>{clock.format(at)}</time>
        {state === 'pending' && <span className="mark"> sending</span>}
        {state === 'refused' && <span className="mark"> not sent</span>}
      </p>
      <p className="text" dir="auto">{message.text}</p>
      {state === 'refused' && (
        <div className="refusal">
          <p className="reason">{reason}</p>
          <button type="button" onClick={() => onEdit(message)}>Edit</button>
          <button type="button" onClick={() => onDismiss(message.id)}>Dismiss</button>
        </div>
      )}
    </li>
  );
});

interface ListProps {
  readonly items: readonly Item[];
  readonly earlier: number;
  readonly me: string;
  readonly empty: string;
  /** Counts the messages of one's own: who sends one wants to see it. */
  readonly sends: number;
  readonly onEarlier: () => void;
  readonly onDismiss: (id: string) => void;
  readonly onEdit: (message: Message) => void;
}

export const List = memo(function List({ items, earlier, me, empty, sends, onEarlier, onDismiss, onEdit }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const bottom = useRef(true); // the reader is at the newest message
  const from = useRef<number | null>(null); // the distance from the end to keep, when earlier ones are put before
  const [read, setRead] = useState<string>(); // the newest message when the reader left it
  const last = items.at(-1)?.message.id;

  const toBottom = (): void => {
    const { current } = box;
    if (current) current.scrollTop = current.scrollHeight;
    bottom.current = true;
    setRead(undefined);
  };
  // Effects move the box and set no state: a page that draws more slowly than messages come would never end drawing.
  useLayoutEffect(() => { bottom.current = true; }, [sends]);
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    if (from.current !== null) current.scrollTop = current.scrollHeight - from.current;
    else if (bottom.current) current.scrollTop = current.scrollHeight;
    from.current = null;
  });
  useLayoutEffect(() => { // a window or a keyboard that takes room away
    const { current } = box;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => { if (bottom.current) current.scrollTop = current.scrollHeight; });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);

  const onScroll = (): void => {
    const { current } = box;
    if (!current) return;
    const end = current.scrollHeight - current.scrollTop - current.clientHeight < 24;
    if (end && read !== undefined) setRead(undefined);
    if (!end && bottom.current) setRead(last);
    bottom.current = end;
  };
  return (
    <div className="read">
      <div className="log" role="log" aria-label="Messages" tabIndex={0} ref={box} onScroll={onScroll}>
        {earlier > 0 && (
          <button type="button" className="earlier" onClick={() => {
            from.current = (box.current?.scrollHeight ?? 0) - (box.current?.scrollTop ?? 0);
            onEarlier();
          }}>Show earlier ones ({earlier})</button>
        )}
        {items.length === 0 && <p className="empty">{empty}</p>}
        <ol>
          {items.map((item) => <Line key={item.message.id} {...item} mine={item.message.from === me} onDismiss={onDismiss} onEdit={onEdit} />)}
        </ol>
      </div>
      {read !== undefined && read !== last && <button type="button" className="news" onClick={toBottom}>New messages</button>}
    </div>
  );
});
