// What both the list and the form know of a room.
import { SyncError } from 'server-state-sync';

/** A message in a room; `at` is in milliseconds since 1970, the server's. */
export interface Message { readonly id: string; readonly from: string; readonly text: string; readonly at: number }

/** The state of a room. */
export interface Room { readonly messages: readonly Message[] }

/** A message of this page that has no verdict yet, or was refused. */
export interface Own { readonly message: Message; readonly refused?: string }

/** A message as the list shows it. */
export interface Item { readonly message: Message; readonly state: 'pending' | 'sent' | 'refused'; readonly reason?: string | undefined }

/** The last `most` of the room's messages, and after them those of this page that are not among them. */
export function itemsOf(messages: readonly Message[], own: readonly Own[], from: number): Item[] {
  const waiting = new Map(own.map((o) => [o.message.id, o]));
  const items = messages.slice(from).map((message): Item => {
    const mine = waiting.get(message.id);
    waiting.delete(message.id);
    return { message, state: mine && mine.refused === undefined ? 'pending' : 'sent' };
  });
  for (const { message, refused } of waiting.values()) {
    items.push({ message, state: refused === undefined ? 'pending' : 'refused', reason: refused });
  }
  return items;
}

/** An error as a sentence for people. */
export function sentence(error: unknown): string {
  if (!(error instanceof SyncError)) return error instanceof Error ? error.message : String(error);
  switch (error.code) {
    case 'state_replaced': return 'The room was reset: the server has begun it anew, without what was in it.';
    case 'state_removed': return 'The room has ended.';
    case 'not_allowed': return 'This room is for members: open it with an access token.';
    case 'outcome_unknown': return 'The server was restarted before it had answered, so this may have been sent or not.';
    default: return error.message.replace(`${error.code}: `, '');
  }
}

/** A name that nobody else has. */
export function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What this browser keeps of its user; where it keeps nothing, the page lives without. */
export const kept = {
  get(key: string): string {
    try { return localStorage.getItem(key) ?? ''; } catch { return ''; }
  },
  set(key: string, value: string): void {
    try { localStorage.setItem(key, value); } catch { /* a browser that keeps nothing */ }
  },
};

/** What was not settled when the page was left, for when it is loaded again; only this tab has it. */
export const unsettled = {
  get(room: string): readonly Own[] {
    try {
      const messages = JSON.parse(sessionStorage.getItem(`chat-own-react-${room}`) ?? '[]') as Message[];
      return messages.map((message) => ({ message, refused: 'The page was loaded again before the server had answered, so this may have been sent or not.' }));
    } catch { return []; }
  },
  set(room: string, own: readonly Own[]): void {
    try { sessionStorage.setItem(`chat-own-react-${room}`, JSON.stringify(own.map((o) => o.message))); } catch { /* a browser that keeps nothing */ }
  },
};
