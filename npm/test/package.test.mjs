// What npm shows of the package: the tarball's own README, which stands alone and says what the repository's says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const manifest = createRequire(import.meta.url).resolve('server-state-sync/package.json');
const { repository } = JSON.parse(readFileSync(manifest, 'utf8'));
const shown = readFileSync(join(dirname(manifest), 'README.md'), 'utf8');
const whole = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
const files = repository.url.replace(/^git\+/, '').replace(/\.git$/, '/blob/HEAD/');

test('every link of the package README leads to the repository, or to a heading of its own', () => {
  const headings = [...shown.matchAll(/^#+ (.*)$/gm)].map(([, title]) => '#' + title.toLowerCase().replaceAll(' ', '-'));
  const links = [...shown.matchAll(/\]\(([^)]*)\)/g)].map(([, to]) => to);
  assert.ok(links.length >= 8, links.join('\n'));
  for (const to of links) assert.ok(headings.includes(to) || to.startsWith('https://'), to);
  for (const name of ['README.md#what-is-guaranteed', 'README.md#limits', 'PROTOCOL.md', 'CHANGELOG.md']) assert.ok(links.includes(files + name), name);
});

test('every line of the package README is one of the repository, in the same order', () => {
  const lines = whole.split('\n');
  let next = 0;
  for (const line of shown.replaceAll(files + 'README.md#', '#').replaceAll(files, '').trimEnd().split('\n')) {
    const at = lines.indexOf(line, next);
    assert.ok(at >= 0, `not in README.md after its line ${next}: ${line}`);
    next = at + 1;
  }
});

test('the package README has what a beginner needs, from what it is to what version 1 was', () => {
  const order = ['# server-state-sync\n', 'A server keeps JSON objects', 'git clone ', 'make run', 'npm install', '```tsx', 'SyncProvider', '```tsx', '### Without React',
    '| version 1 |', 'License: '];
  order.reduce((from, what) => {
    const at = shown.indexOf(what, from);
    assert.ok(at >= from, what);
    return at + what.length;
  }, 0);
});
