import { apply, hasOwn, type Step } from './apply.js';
import type { RawState } from './bridge.js';
import { SyncError, fromGo, toSyncError } from './errors.js';
import type { SyncClient } from './client.js';
import type { UpdateDetail, UpdateOrigin } from './types.js';

/** A state's value: an object, of a shape that only its users know. */
export type View = Readonly<Record<string, unknown>>;

/** How a view has changed, as its listeners hear it. */
export interface Change {
  readonly before: View;
  readonly after: View;
  /** The top-level properties that differ. */
  readonly names: readonly string[];
  readonly detail: UpdateDetail;
}

/** A state that a client is connected to; all handles of the state share it. */
export class Entry {
  readonly identifier: string;
  view: View;
  version = 0;
  phase: 'joining' | 'joined' | 'ended' = 'joining';
  error: SyncError | null = null;
  users = 0;
  raw: RawState | undefined;
  readonly ready: Promise<View>;
  readonly listeners = new Set<(change: Change | undefined) => void>();
  private readonly client: SyncClient;

  constructor(client: SyncClient, identifier: string, initial: View) {
    this.client = client;
    this.identifier = identifier;
    this.view = initial;
    this.ready = client.ask((raw) => {
      const state = raw.state(identifier);
      if (!('follow' in state)) throw state;
      this.raw = state;
      state.follow((steps, origin, version) => this.receive(steps, origin as UpdateOrigin, version));
      state.ended().then((error) => this.end(toSyncError(error, 'unknown')), () => undefined);
      return state.ready();
    }).then(() => {
      if (this.error) throw this.error; // it has ended at once
      this.phase = 'joined';
      this.tell(undefined);
      return this.view;
    });
    this.ready.catch((error: unknown) => this.end(toSyncError(error, 'unknown')));
  }

  /** Takes the next view. It is called by Go, so listeners hear of it when Go has returned. */
  private receive(text: string, origin: UpdateOrigin, version: number): void {
    const before = this.view;
    const parsed = JSON.parse(text) as Step[] | View;
    const steps: readonly Step[] = Array.isArray(parsed) ? (parsed as Step[]) : [['s', [], parsed]]; // the state as a whole
    const after = apply(before, steps) as View;
    const touched = new Set<string>();
    for (const step of steps) {
      for (const path of step[0] === 'm' ? [step[1], step[2]] : [step[1]]) {
        if (path.length > 0) touched.add(String(path[0]));
        else for (const name of [...Object.keys(before), ...Object.keys(after)]) touched.add(name);
      }
    }
    this.view = after;
    this.version = version;
    const names = [...touched].filter((name) => before[name] !== after[name] || hasOwn(before, name) !== hasOwn(after, name));
    if (names.length === 0) return;
    this.tell({ before, after, names, detail: { origin, version, removed: names.filter((name) => !hasOwn(after, name)) } });
  }

  private tell(change: Change | undefined): void {
    this.client.later(() => {
      for (const listener of [...this.listeners]) if (this.listeners.has(listener)) listener(change);
    });
  }

  /** The state is over: left, ended by the server, or it could not be connected to. */
  end(error: SyncError): void {
    if (this.phase === 'ended') return;
    this.phase = 'ended';
    this.error = error;
    this.client.forget(this);
    this.tell(undefined);
  }

  /** One handle less; the last one leaves the state. */
  leave(): void {
    if (--this.users > 0 || this.phase === 'ended') return;
    this.end(new SyncError('closed', `closed: the state "${this.identifier}" was left`));
    void this.client.ask(() => this.raw?.leave() ?? Promise.resolve()).catch(fromGo);
  }
}
