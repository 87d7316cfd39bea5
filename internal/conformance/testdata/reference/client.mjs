// PROTOCOL.md sections 2 and 6 to 10: a client. It shows what the server has confirmed, and nothing ahead of it.
import { carry } from './carry.mjs';
import { Raw, decode, encode } from './messages.mjs';
import { apply, holdsIndex, mergeOps } from './operations.mjs';
import { bytesOf, parse, wide } from './values.mjs';

/** A state as the server has confirmed it, and the own changes that have no answer. */
export class State {
  constructor(identifier) {
    this.identifier = identifier;
    this.value = undefined;
    this.version = 0;
    this.epoch = undefined;
    this.number = 0; // of the last change
    this.answered = 0;
    this.pending = []; // sent and not answered, in order
    this.waiting = []; // not sent yet
    this.isJoined = false;
    this.watchers = new Set();
  }

  /** Counts a change among those that were sent. */
  sent(change) {
    this.number = change.number;
    this.pending.push(change);
  }

  joined({ epoch, version, mark, value, verdicts }) {
    const isKnown = epoch === this.epoch && version >= this.version;
    if (this.epoch !== undefined && !isKnown) this.settleAll('state_replaced');
    this.epoch = epoch;
    if (value !== undefined) this.jump(version, value, verdicts);
    if (!isKnown) this.number = this.answered = mark;
    this.isJoined = true;
    return this.pending.filter(({ number }) => number > mark); // to be sent again
  }

  entries({ version, entries }) {
    for (const entry of entries) this.advance(version++, () => entry, true);
  }

  accepted({ number, version, ops }) {
    const change = this.pending[0];
    if (change?.number !== number) throw new Error(`change ${number} is accepted out of turn`);
    this.advance(version, () => ops ?? change.ops(), false);
    this.settle(change, { version });
  }

  refused({ number, code }) {
    const change = this.pending[0];
    if (change?.number !== number) throw new Error(`change ${number} is refused out of turn`);
    this.settle(change, { code });
  }

  catchup({ from, to, set, removed, verdicts }) {
    if (from !== this.version) throw new Error(`a catchup from ${from} at ${this.version}`);
    const value = Object.assign(Object.create(null), this.value, set);
    for (const key of removed) delete value[key];
    this.jump(to, value, verdicts);
  }

  snapshot({ version, value, verdicts }) { this.jump(version, value, verdicts); }

  /** Applies an entry. Of the pending changes the first alone may hold an index, and so is carried. */
  advance(version, operations, isOfOthers) {
    if (version !== this.version + 1) throw new Error(`version ${version} after ${this.version}`);
    const entry = operations();
    this.value = apply(this.value, entry).value;
    this.version = version;
    const [first] = this.pending;
    if (isOfOthers && first) {
      const before = first.ops;
      first.ops = () => carry(before(), entry).carried;
    }
    this.tell();
  }

  jump(version, value, verdicts) {
    this.value = value;
    this.version = version;
    for (const { number, version: made, code } of verdicts) {
      const change = this.pending.find((each) => each.number === number);
      if (change) this.settle(change, code === undefined ? { version: made } : { code });
    }
    this.tell();
  }

  settle(change, verdict) {
    this.pending = this.pending.filter((each) => each !== change);
    if (change.number !== undefined) this.answered = change.number;
    change.settle?.(verdict);
  }

  settleAll(code) {
    for (const change of [...this.pending, ...this.waiting.splice(0)]) change.settle?.({ code });
    this.pending = [];
  }

  tell() { for (const watcher of [...this.watchers]) watcher(); }
}

const kinds = {
  merge: (updates) => mergeOps(updates),
  transaction: (updates) => mergeOps(updates),
  patch: (ops) => ops,
};

/** A change that waits to be sent. Its content is text, which the server may find wrong. */
function newChange(kind, text, settle) {
  const read = () => kinds[kind](parse(text, wide));
  let hasIndex = false;
  if (kind === 'patch') {
    try {
      hasIndex = holdsIndex(read());
    } catch { /* the server says what is wrong with it */ }
  }
  return { kind, text, hasIndex, ops: read, settle };
}

const drawSession = () => Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('');

/** A client of one server. backoff is the bound of the first wait before it connects again, in milliseconds. */
export class Client {
  constructor(address, identifier, WebSocket, backoff = 500) {
    Object.assign(this, { address, identifier, WebSocket, backoff });
    this.session = drawSession();
    this.connections = 0;
    this.epoch = undefined; // of the session
    this.states = new Map(); // by n
    this.lastN = 0;
    this.settings = undefined; // of the server, while it is connected
    this.connect();
  }

  connect() {
    this.connections++;
    this.socket = new this.WebSocket(this.address, ['server-state-sync.v1']);
    this.socket.onopen = () => this.greet();
    this.socket.onmessage = ({ data }) => { for (const message of decode('server', data)) this.receive(message); };
    this.socket.onclose = () => this.lost();
  }

  greet() {
    const epoch = this.epoch === undefined ? {} : { epoch: this.epoch };
    const joins = [...this.states].map(([n, state]) => this.joinMessage(n, state));
    this.socket.send([encode('hello', this.session, this.identifier, { connection: this.connections, ...epoch }), ...joins].join('\n'));
  }

  joinMessage(n, { identifier, epoch, version, answered }) {
    return epoch === undefined ? encode('join', n, identifier) : encode('join', n, identifier, epoch, version, answered);
  }

  lost() {
    this.settings = undefined;
    for (const state of this.states.values()) state.isJoined = false;
    if (!this.isOver) setTimeout(() => this.connect(), Math.random() * this.backoff);
  }

  receive(message) {
    const state = this.states.get(message.n);
    switch (message.tag) {
      case 'welcome': return this.welcome(message);
      case 'ping': return this.socket.send(encode('pong'));
      case 'bye': return this.bye(message);
      case 'joined': if (state) this.resend(message.n, state, state.joined(message)); break;
      case 'closed': if (state) this.close(message, state); break;
      default: state?.[message.tag](message);
    }
    if (this.settings) this.sendWaiting();
  }

  welcome({ epoch, ...settings }) {
    if (this.epoch !== undefined && epoch !== this.epoch) {
      for (const state of this.states.values()) {
        for (const change of state.pending.splice(0)) change.settle({ code: 'outcome_unknown' });
        state.number = state.answered = 0;
      }
    }
    this.epoch = epoch;
    this.settings = settings;
  }

  bye({ code }) {
    this.isOver = code >= 4100;
    for (const state of this.isOver ? this.states.values() : []) state.settleAll(code);
  }

  close({ n, code }, state) {
    this.states.delete(n);
    state.settleAll(code);
    state.tell();
  }

  /** Joins a state; it has a value when the server has answered. */
  join(identifier) {
    const state = new State(identifier);
    this.states.set(++this.lastN, state);
    if (this.settings) this.socket.send(this.joinMessage(this.lastN, state));
    return state;
  }

  leave(state) {
    for (const [n, each] of this.states) {
      if (each !== state) continue;
      this.states.delete(n);
      if (this.settings) this.socket.send(encode('leave', n));
    }
  }

  /** Makes a change of a kind with its content as text: { version } or { code }. */
  change(state, kind, text) {
    return new Promise((settle) => {
      state.waiting.push(newChange(kind, text, settle));
      if (this.settings) this.sendWaiting();
    });
  }

  messageOf(n, { kind, number, base, text, answered }) {
    const last = kind === 'transaction' ? [null, answered] : [];
    return encode(kind, n, number, base, new Raw(text), ...last);
  }

  resend(n, state, changes) {
    for (const change of changes) this.socket.send(this.messageOf(n, change));
    state.tell();
  }

  bytesOnTheWay() {
    return [...this.states.values()].flatMap(({ pending }) => pending).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  sendWaiting() {
    for (const [n, state] of this.states) {
      while (state.isJoined && state.waiting.length > 0 && this.send(n, state, state.waiting[0]));
    }
  }

  /** Sends the first change that waits, if it may be sent now. */
  send(n, state, change) {
    if (state.pending.length >= this.settings.window || (change.hasIndex && state.pending.length > 0)) return false;
    const numbered = Object.assign(change, { number: state.number + 1, base: state.version, answered: state.answered });
    const message = this.messageOf(n, numbered);
    change.bytes = bytesOf(message);
    if (change.bytes > this.settings.maxMessage) {
      state.waiting.shift();
      change.settle({ code: 'too_large' });
      return true;
    }
    const others = this.bytesOnTheWay();
    if (others > 0 && others + change.bytes > this.settings.windowBytes) return false;
    state.waiting.shift();
    state.sent(change);
    this.socket.send(message);
    return true;
  }
}

