// What the Go program publishes (jsbridge); a test holds these names against those that it has.

/** The methods that clients and states have both. */
export interface RawSubject {
  updateState(updates: object): Promise<number>;
  patchState(operations: readonly object[]): Promise<number>;
  getState(): unknown;
  addStateUpdateListener(identifier: string, listener: (updates: object, previous: object) => void, properties?: readonly string[]): Error | undefined;
  removeStateUpdateListener(identifier: string): boolean;
}

/** A transaction's result: no updates is nothing to do, no reads is all properties. */
export interface RawTransaction {
  readonly updates: object | undefined;
  readonly reads: readonly string[] | null;
}

export type Follower = (steps: string, origin: string, version: number) => void;

export interface RawState extends RawSubject {
  ready(): Promise<void>;
  ended(): Promise<Error>;
  follow(follower: Follower): Error | undefined;
  transact(run: () => RawTransaction): Promise<number>;
  leave(): Promise<void>;
}

export interface RawStatus {
  readonly phase: 'connecting' | 'connected' | 'waiting' | 'closed' | 'failed';
  readonly everConnected: boolean;
  readonly attempt: number;
  readonly nextRetryAt: number | null;
  readonly pending: number;
  readonly latencyMs: number | null;
  readonly lastError: Error | null;
}

export interface RawClient extends RawSubject {
  onConnection(): Promise<void>;
  connectToState(identifier: string): Promise<unknown>;
  state(identifier: string): RawState | Error;
  onError(listener: (error: Error) => void): () => void;
  onStatus(listener: (status: RawStatus) => void): () => void;
  status(): RawStatus;
  close(): Promise<void>;
}
