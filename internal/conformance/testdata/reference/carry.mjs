// PROTOCOL.md section 10: positions.
import { beginsWith, hasFrom } from './operations.mjs';
import { Refusal } from './values.mjs';

const isIndex = (token) => typeof token === 'number';
const endsInIndex = (path) => isIndex(path.at(-1));
const familyLimit = 64;

// A path into what a move has taken and not put down begins with the mark of that hand.
const changeHand = Symbol('in the hand of the change');
const entryHand = Symbol('in the hand of the entry');

/** The effects of an operation, 0 and 1; one that it does not have is undefined. */
function effectsOf([kind, ...rest]) {
  const path = rest[hasFrom(kind) ? 1 : 0];
  const target = {
    add: endsInIndex(path) ? 'insert' : 'write', remove: 'take', replace: endsInIndex(path) ? 'replace' : 'write', test: 'look', increment: 'look',
  };
  if (!hasFrom(kind)) return [undefined, { kind: target[kind], path }];
  return [{ kind: kind === 'move' ? 'take' : 'look', path: rest[0] }, { kind: target.add, path }];
}

/** Moves effect s past effect o: its path, and whether it was caught. */
function past(s, o, isChange) {
  const stays = { path: s.path, caught: false };
  if (o.kind === 'look') return stays;
  if (!endsInIndex(o.path)) return { path: s.path, caught: beginsWith(s.path, o.path) };
  const k = o.path.length - 1;
  if (!beginsWith(s.path, o.path.slice(0, k)) || !isIndex(s.path[k])) return stays;
  const [i, j] = [s.path[k], o.path[k]];
  const isGappy = s.kind === 'insert' && s.path.length - 1 === k;
  const shifted = (by) => ({ path: s.path.with(k, i + by), caught: false });
  if (o.kind === 'insert') return i > j || (i === j && (!isGappy || isChange)) ? shifted(1) : stays;
  if (o.kind === 'take' && i > j) return shifted(-1);
  return { path: s.path, caught: i === j && !isGappy };
}

/** An effect with its path inside a place: what was in the hand is put down, or stands in the copy. */
function inside(effect, place, rest) {
  if (place.at(-1) !== '-') return { ...effect, path: [...place, ...rest] };
  return effect.kind === 'look' ? undefined : { kind: 'overwrite', path: place.slice(0, -1) }; // its index is not known
}

/** What an operation of the change and one of the entry do to each other. */
class Crossing {
  constructor(change, entry) {
    this.isCopy = change[0] === 'copy';
    this.c = effectsOf(change);
    this.e = effectsOf(entry);
    this.before = [...this.e];
    this.sources = []; // where the change's source was when each effect of the entry came
    this.changeHand = change[0] === 'move' ? changeHand : undefined;
    const [, from, path] = entry;
    if (entry[0] === 'move' && from.length === path.length && endsInIndex(from) && endsInIndex(path) && beginsWith(path, from.slice(0, -1))) this.entryHand = entryHand;
    this.isSpoiled = false;
    for (const i of [0, 1]) for (const j of [0, 1]) this.meet(i, j);
  }

  meet(i, j) {
    if (i === 0 && this.c[0]) this.sources[j] = this.c[0].path;
    if (!this.c[i] || !this.e[j]) return;
    const changed = this.changeOver(i, j);
    this.e[j] = this.entryOver(i, j);
    this.c[i] = changed;
  }

  changeOver(i, j) {
    const [c, e] = [this.c[i], this.e[j]];
    if (this.entryHand && c.path[0] === this.entryHand && j === 1) return inside(c, e.path, c.path.slice(1)) ?? c;
    const { path, caught } = past(c, e, true);
    if (!caught) return { ...c, path };
    if (this.entryHand && j === 0) return { ...c, path: [this.entryHand, ...c.path.slice(e.path.length)] };
    if (c.path.slice(endsInIndex(e.path) ? e.path.length - 1 : e.path.length).some(isIndex)) throw new Refusal('conflict');
    if (i === 0) this.isSpoiled = true;
    return c;
  }

  entryOver(i, j) {
    const [c, e] = [this.c[i], this.e[j]];
    if (this.changeHand && e.path[0] === this.changeHand && i === 1) return inside(e, c.path, e.path.slice(1));
    if (this.entryHand && j === 1 && c.kind === 'take' && c.path.length === 1 && c.path[0] === this.entryHand) return undefined;
    const { path, caught } = past(e, c, false);
    if (!caught) return { ...e, path };
    const isSame = e.path.length === c.path.length;
    if (this.changeHand && i === 0 && !isSame) return { ...e, path: [this.changeHand, ...e.path.slice(c.path.length)] };
    if (c.kind === 'replace' && e.kind === 'take' && isSame) return e;
    return undefined;
  }

  /** The change's operation with its new paths. */
  carried([kind, ...rest]) {
    return hasFrom(kind) ? [kind, this.c[0].path, this.c[1].path] : [kind, this.c[1].path, ...rest.slice(1)];
  }

  /** What the entry's operation has become. */
  entryAfter() {
    const made = operationsOf(this.e);
    const target = this.c[1].path;
    if (this.isCopy) {
      made.push(...operationsOf(this.before.map((effect, j) => {
        const source = this.sources[j];
        const goesInto = effect && effect.path.length > source.length && beginsWith(effect.path, source);
        return goesInto ? inside(effect, target, effect.path.slice(source.length)) : undefined;
      })));
    }
    if (this.isSpoiled) made.push(overwrite(target.at(-1) === '-' ? target.slice(0, -1) : target));
    return made;
  }
}

const overwrite = (place) => [endsInIndex(place) ? 'replace' : 'add', place, null];

function operationsOf([source, target]) {
  if (source?.kind === 'take' && ['insert', 'write'].includes(target?.kind)) return [['move', source.path, target.path]];
  return [source, target].filter((effect) => effect && effect.kind !== 'look').map(({ kind, path }) => {
    if (kind === 'overwrite') return overwrite(path);
    return kind === 'take' ? ['remove', path] : [kind === 'replace' ? 'replace' : 'add', path, null];
  });
}

/** Carries a change over an entry: its operations as they are then, and the entry as it is after the change. */
export function carry(change, entry) {
  const carried = [...change];
  const after = [];
  for (const e of entry) {
    let list = [e];
    for (const [i] of carried.entries()) {
      list = list.flatMap((each) => {
        const crossing = new Crossing(carried[i], each);
        carried[i] = crossing.carried(carried[i]);
        return crossing.entryAfter();
      });
      if (list.length > familyLimit) list = [['add', [], null]];
    }
    after.push(...list);
  }
  return { carried, entryAfter: after };
}
