// The front page: begins the torture, and counts what arrives.
import { Client, init } from 'server-state-sync';
import { fetchModule } from '../react/module.js';
import { random } from '../react/room.js';

/** What a reader who came at the end has found. */
interface Tally { readonly sent: number; readonly here: number; readonly lost: number; readonly doubled: number; readonly refused: number }

/** The state by which the server tells of the torture. */
interface Torture {
  readonly phase: 'none' | 'running' | 'done' | 'failed';
  readonly messages: readonly string[];
  readonly planned: number;
  readonly sent?: number;
  readonly cuts?: number;
  readonly kills?: number;
  readonly seconds?: number;
  readonly ours?: Tally | null;
  readonly seed?: Tally | null;
  readonly error?: string | null;
}

function find<T extends Element>(id: string): T {
  const element = document.querySelector<T>(`#${id}`);
  if (!element) throw new Error(`the page has no ${id}`);
  return element;
}

const button = find<HTMLButtonElement>('torture'), bar = find<HTMLProgressElement>('torture-progress');
const result = find<HTMLElement>('torture-result'), seed = find<HTMLElement>('seed-result'), detail = find<HTMLElement>('torture-detail');

const number = (n = 0): string => n.toLocaleString('en-US');

function tell(element: HTMLElement, text: string, verdict = ''): void {
  if (element.textContent !== text) element.textContent = text; // said once
  element.dataset['verdict'] = verdict;
}

function tellTally(element: HTMLElement, { sent, here, lost, doubled }: Pick<Tally, 'sent' | 'here' | 'lost' | 'doubled'>): void {
  tell(element, `${number(sent)} sent, ${number(here)} here, ${number(lost)} lost, ${number(doubled)} doubled`, lost || doubled ? 'bad' : 'good');
}

/** Counts what this page itself has got. */
function counted(messages: readonly string[], sent: number): Pick<Tally, 'sent' | 'here' | 'lost' | 'doubled'> {
  const different = new Set(messages).size;
  return { sent, here: messages.length, lost: sent - different, doubled: messages.length - different };
}

let before: Torture['phase'] = 'none';

function show({ phase, messages, planned, sent = 0, cuts, kills, seconds, seed: old, error }: Torture): void {
  button.disabled = phase === 'running';
  bar.hidden = phase === 'none' || phase === 'failed';
  bar.max = planned;
  bar.value = messages.length;
  const interrupted = before === 'running' && phase === 'none'; // the state is the program's, and began anew with it
  before = phase;
  switch (phase) {
    case 'none':
      if (interrupted) {
        tell(result, 'The torture ended before its time: the demo was started again.', 'bad');
        tell(seed, '');
        detail.textContent = '';
      }
      return;
    case 'failed':
      tell(result, `The torture could not be run: ${error ?? ''}`, 'bad');
      tell(seed, '');
      return;
    case 'running':
      tell(result, 'Running');
      tell(seed, 'Running');
      break;
    case 'done':
      tellTally(result, counted(messages, sent));
      if (old) tellTally(seed, old);
  }
  detail.textContent = `${number(sent)} sent, ${number(messages.length)} here; ${number(cuts)} connections cut, the server killed ${number(kills)} times, ${number(seconds)} s`;
}

async function begin(): Promise<void> {
  button.disabled = true;
  const answer = await fetch('/torture', { method: 'POST' });
  if (!answer.ok && answer.status !== 409) throw new Error(await answer.text());
}

button.addEventListener('click', () => {
  begin().catch((error: unknown) => {
    button.disabled = false;
    tell(result, `The torture could not be begun: ${error instanceof Error ? error.message : String(error)}`, 'bad');
  });
});

await init(fetchModule());
const client = new Client(`${location.origin}/torture/sync`, random());
const torture = client.state<Torture>('torture', { initialState: { phase: 'none', messages: [], planned: 1 } });
torture.subscribe(show);
show(torture.getState());
