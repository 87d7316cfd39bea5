// PROTOCOL.md sections 3, 6 and 7: messages, as objects with the names of the fields.
import { hasFrom } from './operations.mjs';
import { Refusal, bytesOf, canonical, checkKey, defaults, parse, wide } from './values.mjs';

const levels = 10_000;
const names = /^[A-Za-z0-9_-]+$/;
const control = /[\u0000-\u001f\u007f-\u009f]/;

const bad = (reason) => new Refusal('bad_message', reason);

/** The texts of an array's elements; undefined: the text is of no array. It is known to be JSON. */
function elements(text) {
  if (!text.startsWith('[')) return undefined;
  const found = [];
  let depth = 0;
  let start = 1;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/g)) {
    if (token === '[' || token === '{') depth++;
    if (depth > levels) throw bad('more than 10,000 levels');
    if (depth === 1 && (token === ',' || token === ']')) {
      const element = text.slice(start, index).trim();
      if (element !== '' || token === ',') found.push(element);
      start = index + 1;
    }
    if (token === ']' || token === '}') depth--;
  }
  return found;
}

// Fields of the envelope. Each reads the text of its element.

const integer = (least, most) => (text) => {
  if (!/^(?:0|[1-9][0-9]*)$/.test(text) || text.length > 16 || Number(text) < least || Number(text) > most) throw bad(`${text} is no integer from ${least} to ${most}`);
  return Number(text);
};
const large = Number.MAX_SAFE_INTEGER;
const count = integer(0, large);
const positive = integer(1, large);
const index = integer(0, 2 ** 31 - 1);
const code = integer(4000, 4999);

const string = (isGood) => (text) => {
  const read = text.startsWith('"') ? JSON.parse(text) : undefined;
  if (read === undefined || /\p{Surrogate}/u.test(read) || !isGood(read)) throw bad(`${text} is not allowed`);
  return read;
};
const session = string((text) => names.test(text) && text.length >= 16 && text.length <= 64);
const epoch = string((text) => names.test(text) && text.length <= 64);
const isIdentifier = (text) => text !== '' && bytesOf(text) <= 256 && !control.test(text);
const reason = string((text) => bytesOf(text) <= 1024);

function member(object, key, isGood) {
  const value = object[key];
  if (value !== undefined && !isGood(value)) throw bad(`${key} is not allowed`);
  return value;
}

function object(text) {
  if (!text.startsWith('{')) throw bad(`${text} is no object`);
  return JSON.parse(text);
}

function extensions(text) {
  const read = object(text);
  member(read, 'connection', (n) => Number.isSafeInteger(n) && n > 0);
  member(read, 'epoch', (e) => typeof e === 'string' && names.test(e) && e.length <= 64);
  return read;
}

function settings(text) {
  const read = object(text);
  for (const key of ['heartbeat', 'window', 'windowBytes', 'maxMessage']) {
    if (member(read, key, (n) => Number.isInteger(n) && n > 0 && n < 2 ** 32) === undefined) throw bad(`no ${key}`);
  }
  return read;
}

function verdict(text) {
  const fields = elements(text);
  if (fields?.length === 2) return { number: positive(fields[0]), version: positive(fields[1]) };
  if (fields?.length !== 4) throw bad('no verdict');
  return { number: positive(fields[0]), version: integer(0, 0)(fields[1]), code: code(fields[2]), reason: reason(fields[3]) };
}

function verdicts(text) {
  const read = (elements(text) ?? fail('no verdicts')).map(verdict);
  if (read.some(({ number }, i) => i > 0 && number <= read[i - 1].number)) throw bad('the numbers do not ascend');
  return read;
}

function fail(why) { throw bad(why); }

// Fields of the content. Their faults have codes of their own.

function contentObject(text, limits) {
  const read = parse(text, limits);
  if (!text.startsWith('{')) throw new Refusal('invalid_patch', 'no object');
  return read;
}

function name(text, limits) {
  if (!text.startsWith('"')) throw new Refusal('invalid_patch', `${text} is no name`);
  return checkKey(JSON.parse(text), limits);
}

const nameList = (text, limits) => (elements(text) ?? failContent('no array of names')).map((each) => name(each, limits));

function failContent(why) { throw new Refusal('invalid_patch', why); }

function token(text, limits) {
  if (!/^[-0-9]/.test(text)) return name(text, limits);
  try {
    return index(text);
  } catch (fault) {
    return failContent(fault.message);
  }
}

function path(text, limits) {
  const tokens = elements(text ?? '') ?? failContent('no path');
  if (tokens.length > limits.depth) throw new Refusal('too_deep', `${tokens.length} tokens`);
  return tokens.map((each) => token(each, limits));
}

const valued = ['add', 'replace', 'test', 'increment'];

function operation(text, limits) {
  const [quoted, ...fields] = elements(text) ?? failContent('no operation');
  const kind = quoted?.startsWith('"') ? JSON.parse(quoted) : undefined;
  if (![...valued, 'remove', 'move', 'copy'].includes(kind)) failContent('no kind of operation');
  const read = [kind, path(fields.shift(), limits)];
  if (hasFrom(kind)) read.push(path(fields.shift(), limits));
  if (valued.includes(kind)) {
    read.push(parse(fields.shift() ?? failContent('no value'), limits));
    if (kind === 'increment' && typeof read[2] !== 'number') failContent('an increment by what is no number');
  }
  return fields.length > 0 ? failContent('too many elements') : read;
}

function operations(text, limits) {
  const found = elements(text) ?? failContent('no array of operations');
  if (found.length > limits.operations) throw new Refusal('too_many_operations', found.length);
  return found.map((each) => operation(each, limits));
}

function identifier(text) {
  try {
    return string(isIdentifier)(text);
  } catch {
    throw text.startsWith('"') ? new Refusal('identifier_invalid', text) : bad('no identifier');
  }
}

const content = new Set([contentObject, nameList, operations, identifier]);
const reads = (text, limits) => (text === 'null' ? null : nameList(text, limits));
content.add(reads);

/** A number and all that stands with it: what a change begins with. */
const change = { n: integer(1, 2 ** 31 - 1), number: positive, base: count };
const state = { n: change.n };
const joined = { ...state, epoch, version: count, mark: count };
const jump = { mark: count, verdicts };
const durability = epoch;

/** The forms of each message: its fields in their order. They differ in how many there are. */
const forms = {
  client: {
    hello: [{ session, clientIdentifier: string(isIdentifier), extensions }],
    join: [{ ...state, identifier }, { ...state, identifier, epoch, version: count, answered: count }],
    leave: [state],
    merge: [{ ...change, updates: contentObject }],
    patch: [{ ...change, ops: operations }],
    transaction: [{ ...change, updates: contentObject, reads, answered: count }],
    pong: [{}],
  },
  server: {
    welcome: [{ epoch, settings }],
    joined: [joined, { ...joined, durability }, { ...joined, verdicts, value: contentObject }, { ...joined, verdicts, value: contentObject, durability }],
    entries: [],
    accepted: [{ ...state, number: positive, version: positive }, { ...state, number: positive, version: positive, ops: operations }],
    refused: [{ ...state, number: positive, code, reason }],
    catchup: [{ ...state, from: count, to: count, set: contentObject, removed: nameList, ...jump }],
    snapshot: [{ ...state, version: count, value: contentObject, ...jump }],
    closed: [{ ...state, code, reason }],
    ping: [{}],
    bye: [{ code, reason, retryAfter: integer(0, 2 ** 32 - 1) }],
  },
};

/** The messages of a frame. A change or join that is refused alone is an object with `refuses`. */
export function decode(from, frame, given) {
  const limits = { ...(from === 'client' ? defaults : wide), ...given };
  if (bytesOf(frame) > limits.bytes) throw new Refusal('message_too_large', `${bytesOf(frame)} bytes`);
  return frame.split('\n').map((line) => decodeOne(from, line, limits));
}

function decodeOne(from, line, limits) {
  try {
    JSON.parse(line);
  } catch {
    throw bad('the text is not JSON');
  }
  const [quoted, ...texts] = elements(line.trim()) ?? fail('no array');
  const tag = quoted?.startsWith('"') ? JSON.parse(quoted) : undefined;
  if (!Object.hasOwn(forms[from], tag)) throw bad(`${tag} is no message of a ${from}`);
  const form = tag === 'entries' ? entriesForm(texts.length) : forms[from][tag].find((each) => Object.keys(each).length === texts.length);
  if (!form) throw bad(`${tag} does not have ${texts.length} fields`);
  const { message, fault } = readFields(tag, form, texts, limits);
  checkRelations(message);
  if (!fault) return message;
  if (from === 'server') throw bad(fault.message);
  const { n, number } = message;
  return { refuses: tag === 'join' ? 'join' : 'change', n, number, code: fault.code };
}

/** `entries` takes any number of entries, but one. */
function entriesForm(fields) {
  if (fields < 3) throw bad('entries without an entry');
  return { ...state, version: positive, ...Object.fromEntries(Array.from({ length: fields - 2 }, (_, i) => [`entry ${i}`, operations])) };
}

/** Reads all fields; the first fault of the content counts, but one of the envelope counts more. */
function readFields(tag, form, texts, limits) {
  const message = { tag };
  let fault;
  for (const [i, [key, read]] of Object.entries(form).entries()) {
    try {
      const value = read(texts[i], limits);
      if (key.startsWith('entry ')) (message.entries ??= []).push(value);
      else if (key === 'settings' || key === 'extensions') Object.assign(message, value);
      else message[key] = value;
    } catch (refusal) {
      if (!content.has(read) || refusal.code === 'bad_message') throw refusal;
      fault ??= refusal;
    }
  }
  return { message, fault };
}

function checkRelations({ from, to, mark, verdicts: given }) {
  if (to < from) throw bad('a catchup that goes back');
  if (given?.some(({ number }) => number > mark)) throw bad('a verdict above the mark');
}

/** The text of a message: its fields in the order of the form that has them. A field that is text already is raw. */
export function encode(tag, ...fields) {
  return `[${[canonical(tag), ...fields.map((field) => (field instanceof Raw ? field.text : canonical(field)))].join()}]`;
}

/** A JSON text that goes into a message as it is. */
export class Raw {
  constructor(text) { this.text = text; }
}

/** The fields of a message that was decoded, in their order, as encode takes them. */
export function fieldsOf(from, message) {
  const { tag, entries, settings: _, ...rest } = message;
  if (tag === 'entries') return [rest.n, rest.version, ...entries];
  if (tag === 'welcome') return [rest.epoch, new Raw(JSON.stringify({ heartbeat: rest.heartbeat, window: rest.window, windowBytes: rest.windowBytes, maxMessage: rest.maxMessage }))];
  if (tag === 'hello') {
    const known = Object.fromEntries(['connection', 'epoch'].filter((key) => rest[key] !== undefined).map((key) => [key, rest[key]]));
    return [rest.session, rest.clientIdentifier, known];
  }
  const form = forms[from][tag].find((each) => Object.keys(each).length === Object.keys(rest).length);
  return Object.keys(form).map((key) => (key === 'verdicts' ? rest[key].map(verdictFields) : rest[key]));
}

const verdictFields = ({ number, version, code: why, reason: words }) => (why === undefined ? [number, version] : [number, version, why, words]);
