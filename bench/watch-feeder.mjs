// A worker that appends the lines of one log to another at a steady rate, as a busy syslog daemon does.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { log, path, rate, seconds, shared } = workerData;
const [from, to] = [openSync(log, 'r'), openSync(path, 'a')];
const block = Buffer.allocUnsafe(1 << 20);
let [have, at, sent] = [0, 0, 0];
const pause = new Int32Array(new SharedArrayBuffer(4));
const began = performance.now();
while (sent < rate * seconds) {
  const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) * rate) / 1000));
  let end = at;
  while (sent < due) {
    const newline = block.subarray(0, have).indexOf(10, end);
    if (newline >= 0) {
      end = newline + 1;
      sent += 1;
      continue;
    }
    if (end > at) writeSync(to, block, at, end - at);
    block.copyWithin(0, end, have);
    have -= end;
    at = end = 0;
    const length = readSync(from, block, have, block.length - have, null);
    if (length === 0) throw new Error(`${log} is too short`);
    have += length;
  }
  if (end > at) writeSync(to, block, at, end - at);
  at = end;
  Atomics.store(shared, 0, sent);
  Atomics.wait(pause, 0, 0, 10);
}
closeSync(to);
Atomics.store(shared, 1, 1);
