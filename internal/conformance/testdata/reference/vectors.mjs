// Holds the reference to the golden vectors (PROTOCOL.md section 15): node vectors.mjs FOLDER. The last line says how
// many of each file were held.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { carry } from './carry.mjs';
import { State } from './client.mjs';
import { decode, encode, fieldsOf } from './messages.mjs';
import { apply, mergeOps, resolve } from './operations.mjs';
import { canonical, defaults, parse } from './values.mjs';

const held = {};
let failed = 0;

/** Runs check on each vector of a file; it returns [got, want]. */
function hold(file, check) {
  const vectors = JSON.parse(readFileSync(join(process.argv[2], file), 'utf8'));
  held[file] = vectors.length;
  for (const [i, vector] of vectors.entries()) {
    const [got, want] = check(vector);
    if (got === want) continue;
    failed++;
    console.log(`${file}: ${vector.name ?? vector.note ?? `vector ${i}`}\n\tgot  ${got}\n\twant ${want}`);
  }
}

/** What make returns, or the code with which it refuses. */
function outcome(make) {
  try {
    return make();
  } catch (refusal) {
    if (!refusal.code) throw refusal;
    return refusal.code;
  }
}

const texts = (...values) => values.map(canonical).join(' and ');

hold('values.json', ({ text, limits, canonical: form, code }) =>
  [outcome(() => canonical(parse(text, { ...defaults, ...limits }))), form ?? code]);
hold('resolve.json', ({ base, patch, ops, code }) => [outcome(() => texts(resolve(base, patch))), ops ? texts(ops) : code]);
hold('apply.json', ({ base, ops, limits, result, entry, code }) => [
  outcome(() => {
    const made = apply(base, ops, limits);
    if (canonical(apply(base, made.entry).value) !== canonical(made.value)) return 'an entry that makes another value';
    return texts(made.value, made.entry);
  }),
  code ?? texts(result, entry)]);


/** An entry with what counts of it for positions: an increment moves none, and neither does what a copy copies. */
const positions = (entry) => entry.filter(([kind]) => kind !== 'increment').map((op) => (op[0] === 'copy' ? ['add', op[2], null] : op));
hold('carry.json', ({ change, entry, carried, entryAfter, code }) => [
  outcome(() => {
    const made = carry(change, entry);
    return texts(made.carried, positions(made.entryAfter));
  }),
  code ?? texts(carried, positions(entryAfter))]);
hold('messages.json', ({ from, text, message: { readAll, ...message }, encoded }) => {
  const [read] = decode(from, text);
  const known = Object.fromEntries(Object.keys(message).map((key) => [key, read[key]])); // hello's vectors have no extensions
  return [`${canonical(known)} ${encode(read.tag, ...fieldsOf(from, read))}`, `${canonical(message)} ${encoded ?? text}`];
});
/** The class of a code, by its range alone. */
const classOf = (code) => ['reconnect', 'give_up', 'state_over', 'change_refused', 'run_again'][Math.floor(code / 100) - 40];
hold('codes.json', ({ code, class: named }) => [classOf(code), named]);
const codes = Object.fromEntries(JSON.parse(readFileSync(join(process.argv[2], 'codes.json'), 'utf8')).map(({ code, name }) => [name, code]));
hold('refusals.json', ({ from, text, limits, refuses, code, n, number }) => {
  let got;
  try {
    got = decode(from, text, limits).find((each) => each.refuses);
  } catch (refusal) {
    got = { refuses: 'connection', code: refusal.code };
  }
  return [JSON.stringify([got?.refuses, codes[got?.code] ?? got?.code, got?.n, got?.number]), JSON.stringify([refuses, code, n, number])];
});

/** A client that follows state 1 of exchange.json, whose own frames stand there. */
const follower = new State('chat');
function follow({ tag, n, ...fields }) {
  if (n !== 1 || tag === 'join') return;
  if (fields.number !== undefined && fields.base !== undefined) follower.sent({ number: fields.number, ops: () => fields.ops ?? mergeOps(fields.updates) });
  else follower[tag](fields);
}
hold('exchange.json', ({ from, frame, version, value, pending = [] }) => {
  if (frame !== '') decode(from, frame).forEach(follow);
  if (from === 'client') return ['', ''];
  return [texts(follower.version, follower.value, follower.pending.map(({ number }) => number)), texts(version, value, pending)];
});

console.log(JSON.stringify(held));
process.exitCode = failed > 0 ? 1 : 0;
