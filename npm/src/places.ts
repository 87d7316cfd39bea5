import { valueAt, type Key } from './apply.js';
import { SyncError, invalid } from './errors.js';
import type { PatchOperation, Path } from './types.js';

/** The path of a place, which is a property's name or a path already. */
export function pathOf(method: string, place: unknown): Path {
  const path = typeof place === 'string' ? [place] : place;
  const fits = Array.isArray(path) && path.length > 0 && path.every((key) => typeof key === 'string' || (Number.isInteger(key) && (key as number) >= 0));
  if (!fits) throw invalid(`${method} takes the name of a property, or an array of names and indexes`);
  return path as Path;
}

/** The JSON Pointer (RFC 6901) of a path. */
export function pointer(path: readonly Key[]): string {
  return path.map((key) => '/' + String(key).replace(/~/g, '~0').replace(/\//g, '~1')).join('');
}

/** Throws where JSON has no such value: JSON.stringify would leave it out, and the change would be another. */
export function checkValues(method: string, values: readonly unknown[]): void {
  if (values.some((value) => ['undefined', 'function', 'symbol'].includes(typeof value))) {
    throw invalid(`${method} takes what JSON has, and neither undefined nor a function or a symbol; a property is taken away by remove`);
  }
}

export function appending(path: Path, elements: readonly unknown[]): PatchOperation[] {
  checkValues('append', elements);
  return elements.map((value) => ({ op: 'add', path: pointer([...path, '-']), value }));
}

export function inserting(path: Path, index: number, elements: readonly unknown[]): PatchOperation[] {
  if (!Number.isInteger(index) || index < 0) throw invalid('insert takes the index of an element');
  checkValues('insert', elements);
  return elements.map((value, i) => ({ op: 'add', path: pointer([...path, index + i]), value }));
}

/** Removes the place, or the element that is one of those in the array there. */
export function removing(view: unknown, path: Path, given: boolean, element: unknown): PatchOperation[] {
  if (!given) return [{ op: 'remove', path: pointer(path) }];
  const array = valueAt(view, path);
  if (!Array.isArray(array)) throw new SyncError('patch_failed', `patch_failed: there is no array at ${pointer(path)}`);
  const index = array.indexOf(element);
  if (index < 0) throw new SyncError('conflict', `conflict: the array at ${pointer(path)} does not have this element, or no longer; give one of those in getState() itself, or a path with an index`);
  return [{ op: 'remove', path: pointer([...path, index]) }];
}
