// The server of the tests: the built program, with the states of a file.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

/** Starts a server and returns its address and what ends it. */
export async function serve(states, ...flags) {
  const folder = mkdtempSync(join(tmpdir(), 'statesync-'));
  writeFileSync(join(folder, 'states.json'), JSON.stringify(states));
  const program = spawn(process.env.STATESYNC_PROGRAM, ['serve', '--address', '127.0.0.1:0', '--states', join(folder, 'states.json'), ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => program.once('exit', resolve));
  const endpoint = await new Promise((resolve, reject) => {
    let said = '';
    for (const stream of [program.stdout, program.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said += line + '\n';
        const found = /ws:\/\/127\.0\.0\.1:\d+/.exec(line);
        if (found) resolve(found[0]);
      });
    }
    ended.then(() => reject(new Error('the server ended: ' + said)));
  });
  return {
    endpoint,
    async stop() {
      program.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** The options of clients here: Node 20 has no WebSocket. */
export const options = { WebSocket };

/** Waits until the condition holds; it fails long after it should. */
export async function until(condition, what = String(condition)) {
  for (const end = Date.now() + 60_000; !(await condition());) {
    if (Date.now() > end) throw new Error('never came true: ' + what);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
