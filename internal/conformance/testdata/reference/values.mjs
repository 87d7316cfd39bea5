// PROTOCOL.md section 4: values. Objects have no prototype here, so that a key is a key whatever it is called.

/** What the protocol does not allow, with the name of its code. */
export class Refusal extends Error {
  constructor(code, reason = '') {
    super(`${code}: ${reason}`);
    this.code = code;
  }
}

/** The defaults of a server (section 12), and what this client takes from one. */
export const defaults = { bytes: 1 << 20, depth: 64, keyBytes: 768, operations: 10_000 };
export const wide = { bytes: 64 << 20, depth: 1000, keyBytes: 65_536, operations: Infinity };

const utf8 = new TextEncoder();
export const bytesOf = (text) => utf8.encode(text).length;

const largest = Number.MAX_SAFE_INTEGER;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const space = /[ \t\r\n]*/y;
const loneSurrogate = /\p{Surrogate}/u;
const literals = { true: true, false: false, null: null };

/** Checks a number that was read from its text, and returns it as the protocol has it. */
export function checkNumber(n, text = '') {
  const isInteger = /^-?[0-9]+$/.test(String(n)) || /^-?[0-9]+$/.test(text);
  if (!Number.isFinite(n) || (isInteger && Math.abs(n) > largest)) throw new Refusal('number_out_of_range', text);
  return n === 0 ? 0 : n; // there is no -0
}

export function checkText(text) {
  if (loneSurrogate.test(text)) throw new Refusal('invalid_unicode', 'a lone surrogate');
  return text;
}

export function checkKey(key, limits) {
  checkText(key);
  if (key === '__proto__') throw new Refusal('reserved_key', key);
  if (bytesOf(key) > limits.keyBytes) throw new Refusal('key_too_long', `${bytesOf(key)} bytes`);
  return key;
}

/** The value of a JSON text. */
export function parse(text, limits = defaults) {
  if (bytesOf(text) > limits.bytes) throw new Refusal('too_large', `${bytesOf(text)} bytes`);
  const reader = new Reader(text, limits);
  const value = reader.value(0);
  reader.take(space);
  if (reader.at < text.length) reader.fail();
  if (bytesOf(canonical(value)) > limits.bytes) throw new Refusal('too_large', 'in canonical form');
  return value;
}

/** Reads JSON from left to right. The first fault counts. */
class Reader {
  constructor(text, limits) {
    this.text = text;
    this.limits = limits;
    this.at = 0;
  }

  fail() { throw new Refusal('invalid_json', `not JSON from character ${this.at} on`); }

  /** The text that the pattern matches here, or undefined. */
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  /** Takes white space and then the character, if it is there. */
  takeChar(character) {
    this.take(space);
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  value(depth) {
    this.take(space);
    const next = this.text[this.at];
    if (next === '{') return this.object(depth + 1);
    if (next === '[') return this.array(depth + 1);
    if (next === '"') return this.string();
    const digits = this.take(number);
    if (digits !== undefined) return checkNumber(Number(digits), digits);
    const word = Object.keys(literals).find((each) => this.text.startsWith(each, this.at)) ?? this.fail();
    this.at += word.length;
    return literals[word];
  }

  string() { return checkText(JSON.parse(this.take(string) ?? this.fail())); }

  enter(depth) {
    if (depth > this.limits.depth) throw new Refusal('too_deep', `more than ${this.limits.depth} levels`);
    this.at++;
  }

  array(depth) {
    this.enter(depth);
    const array = [];
    if (this.takeChar(']')) return array;
    do array.push(this.value(depth)); while (this.takeChar(','));
    return this.takeChar(']') ? array : this.fail();
  }

  object(depth) {
    this.enter(depth);
    const object = Object.create(null);
    if (this.takeChar('}')) return object;
    do {
      this.take(space);
      const key = checkKey(this.string(), this.limits);
      if (key in object) throw new Refusal('duplicate_key', key);
      if (!this.takeChar(':')) this.fail();
      object[key] = this.value(depth);
    } while (this.takeChar(','));
    return this.takeChar('}') ? object : this.fail();
  }
}

/** The canonical text (RFC 8785). What no value can be is an error: nothing is mended on the way. */
export function canonical(value) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(checkText(value));
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) throw new Error(`${Object.is(value, -0) ? '-0' : value} is in a value`);
      return String(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${Array.from(value, canonical).join()}]`;
      return `{${Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`).join()}}`; // sort() is by UTF-16 code units
    default:
      throw new Error(`${typeof value} is in a value`);
  }
}

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** How many levels of arrays and objects a value has. */
export function depthOf(value) {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce((most, each) => Math.max(most, depthOf(each)), 0);
}
