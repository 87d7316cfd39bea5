// PROTOCOL.md section 5: operations.
import { Refusal, bytesOf, canonical, checkKey, checkNumber, defaults, depthOf, isObject, parse } from './values.mjs';

const isIndex = (token) => typeof token === 'number';
const equal = (a, b) => canonical(a) === canonical(b);

/** Whether one path begins with another. */
export const beginsWith = (path, start) => start.length <= path.length && start.every((token, i) => token === path[i]);

export const hasFrom = (kind) => kind === 'move' || kind === 'copy';

/** The place that a token names in a container: its key or index. An end is the place behind the last element. */
function placeIn(container, token, mayBeNew) {
  if (Array.isArray(container)) {
    const index = token === '-' && mayBeNew ? container.length : token;
    if (!isIndex(index)) throw new Refusal('patch_failed', `${token} on an array`);
    if (index >= container.length + (mayBeNew ? 1 : 0)) throw new Refusal('path_not_found', `${index} of ${container.length}`);
    return index;
  }
  if (!isObject(container)) throw new Refusal('path_not_found', `${token} in a scalar`);
  if (isIndex(token)) throw new Refusal('patch_failed', `the index ${token} on an object`);
  if (!mayBeNew && !Object.hasOwn(container, token)) throw new Refusal('path_not_found', token);
  return token;
}

/** The value at the path. */
export function look(value, path) {
  return path.reduce((container, token) => container[placeIn(container, token, false)], value);
}

/** Copies a container, so that values that were handed out do not change. */
const copyOf = (container) => (Array.isArray(container) ? container.slice() : Object.assign(Object.create(null), container));

/** The value with the container of the path's last token changed by edit, which is called with its copy. */
function within(value, path, edit) {
  const [token, ...rest] = path;
  const place = rest.length > 0 ? placeIn(value, token, false) : undefined;
  if (typeof value !== 'object' || value === null) throw new Refusal('path_not_found', `${token} in a scalar`);
  const copy = copyOf(value);
  if (rest.length > 0) copy[place] = within(copy[place], rest, edit);
  else edit(copy, token);
  return copy;
}

function put(value, path, added) {
  if (path.length === 0) return added;
  return within(value, path, (container, token) => {
    const place = placeIn(container, token, true);
    if (Array.isArray(container)) container.splice(place, 0, added);
    else container[place] = added;
  });
}

function take(value, path) {
  if (path.length === 0) throw new Refusal('patch_failed', 'the whole state');
  return within(value, path, (container, token) => {
    const place = placeIn(container, token, false);
    if (Array.isArray(container)) container.splice(place, 1);
    else delete container[place];
  });
}

function exchange(value, path, next) {
  if (path.length === 0) return next;
  return within(value, path, (container, token) => { container[placeIn(container, token, false)] = next; });
}

function increment(value, path, by) {
  const before = look(value, path);
  if (typeof before !== 'number') throw new Refusal('patch_failed', 'an increment of what is no number');
  return exchange(value, path, checkNumber(before + by));
}

function move(value, from, path) {
  if (from.length === 0 && path.length === 0) return value;
  const goesInside = path.length > from.length && beginsWith(path, from);
  if (goesInside && !isIndex(from.at(-1))) throw new Refusal('patch_failed', 'a move into itself'); // an index is the next element's then
  const moved = look(value, from);
  return path.length === 0 ? moved : put(take(value, from), path, moved);
}

/** The value after one operation. */
function step(value, [kind, ...rest]) {
  const [path, argument] = hasFrom(kind) ? [rest[1]] : rest;
  switch (kind) {
    case 'add': return put(value, path, argument);
    case 'remove': return take(value, path);
    case 'replace': look(value, path); return exchange(value, path, argument);
    case 'move': return move(value, rest[0], path);
    case 'copy': return put(value, path, look(value, rest[0]));
    case 'test': if (!equal(look(value, path), argument)) throw new Refusal('test_failed'); return value;
    case 'increment': return increment(value, path, argument);
    default: throw new Refusal('invalid_patch', `there is no operation ${kind}`);
  }
}

/** The path with an end in the place of its last token: the index that it stands for. */
function settled(value, path) {
  if (path.at(-1) !== '-') return path;
  const container = look(value, path.slice(0, -1));
  return Array.isArray(container) ? [...path.slice(0, -1), container.length] : path;
}

/** What an operation is in an entry; undefined: nothing. */
function normalized(before, after, [kind, ...rest]) {
  if (kind === 'test') return undefined;
  const path = settled(kind === 'move' && rest[0].length > 0 ? take(before, rest[0]) : before, rest[hasFrom(kind) ? 1 : 0]);
  const isInsertion = isIndex(path.at(-1)) && ['add', 'copy'].includes(kind);
  if (!isInsertion && kind !== 'remove' && equal(before, after) && (kind !== 'move' || equal(rest[0], path))) return undefined;
  if (hasFrom(kind)) return [kind, rest[0], path];
  if (kind === 'replace' && !isIndex(path.at(-1))) return ['add', path, rest[1]];
  return [kind, path, ...rest.slice(1)];
}

/** Holds a state within its limits. */
function checkState(value, limits) {
  if (!isObject(value)) throw new Refusal('patch_failed', 'a state is an object');
  if (limits?.depth < depthOf(value)) throw new Refusal('too_deep');
  if (limits?.bytes < bytesOf(canonical(value))) throw new Refusal('state_too_large');
}

/** Applies operations, all or none: the value after them, and their entry. Without limits as a receiver does. */
export function apply(base, ops, limits) {
  const entry = [];
  let value = base;
  let isWhole = false; // the whole state was set, and that is the entry
  for (const op of ops) {
    if (limits?.keyBytes) for (const name of op[hasFrom(op[0]) ? 2 : 1]) if (!isIndex(name)) checkKey(name, limits);
    const next = step(value, op);
    checkState(next, limits);
    const made = normalized(value, next, op);
    if (made) entry.push(made);
    if (op[hasFrom(op[0]) ? 2 : 1].length === 0 && op[0] !== 'test') isWhole = true;
    value = next;
  }
  if (!isWhole) return { value, entry };
  return { value, entry: equal(base, value) ? [] : [['add', [], value]] };
}

/** The operations that a merge's updates are. */
export const mergeOps = (updates) => Object.keys(updates).map((key) => ['add', [key], updates[key]]);

// A JSON Patch (RFC 6902) with increment, on its way to operations.

function tokensOf(pointer) {
  if (typeof pointer !== 'string' || !/^(?:\/(?:[^~/]|~[01])*)*$/.test(pointer)) throw new Refusal('invalid_patch', 'no pointer');
  return pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Decides by the value which tokens of a pointer are indexes. */
function typed(value, pointer) {
  return tokensOf(pointer).map((token, i, { length }) => {
    const isLast = i === length - 1;
    if (Array.isArray(value)) {
      if (/^(?:0|[1-9][0-9]*)$/.test(token) && Number(token) < 2 ** 31) token = Number(token);
      else if (token !== '-' || !isLast) throw new Refusal('patch_failed', `${token} is no index`);
    } else if (!isObject(value)) {
      throw new Refusal('path_not_found', `${token} in a scalar`);
    }
    if (!isLast) value = value[placeIn(value, token, false)];
    return token;
  });
}

function readOperation(each) {
  const kinds = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'increment'];
  if (!isObject(each) || !kinds.includes(each.op)) throw new Refusal('invalid_patch', 'no operation');
  tokensOf(each.path);
  if (hasFrom(each.op)) tokensOf(each.from);
  if (['add', 'replace', 'test', 'increment'].includes(each.op) && each.value === undefined) throw new Refusal('invalid_patch', 'no value');
  if (each.op === 'increment' && typeof each.value !== 'number') throw new Refusal('invalid_patch', 'increment needs a number');
}

function resolveOne(value, { op, path, from, value: argument }) {
  if (!hasFrom(op)) return op === 'remove' ? [op, typed(value, path)] : [op, typed(value, path), argument];
  if (op === 'move' && path.startsWith(`${from}/`)) throw new Refusal('patch_failed', 'a move into itself');
  const source = typed(value, from);
  return [op, source, typed(op === 'move' ? take(value, source) : value, path)];
}

export const holdsIndex = (ops) => ops.some(([kind, ...rest]) => rest.slice(0, hasFrom(kind) ? 2 : 1).flat().some(isIndex));

/** The JSON Patch of a text. The limits are those of each of its values, which stand two levels inside. */
export const parsePatch = (text, limits = defaults) => parse(text, { ...limits, depth: limits.depth + 2, bytes: Infinity });

/** The operations of a JSON Patch for the value. It fails where they do. */
export function resolve(value, patch) {
  if (!Array.isArray(patch)) throw new Refusal('invalid_patch', 'no array');
  patch.forEach(readOperation);
  const ends = [];
  const ops = patch.map((each) => {
    const op = resolveOne(value, each);
    const last = hasFrom(op[0]) ? 2 : 1;
    ends.push([...op.slice(0, last), settled(op[0] === 'move' ? take(value, op[1]) : value, op[last]), ...op.slice(last + 1)]);
    value = apply(value, [op]).value;
    return op;
  });
  return holdsIndex(ops) ? ends : ops; // beside an index an end is one, too
}
