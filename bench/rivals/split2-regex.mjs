#!/usr/bin/env node
// The plain way, for comparison: split2, a regular expression per kind of line, and a Map of queue ids. Computes the
// five figures for Postfix logs with short queue ids, about as a careful script would, and prints them as JSON.
//   node bench/rivals/split2-regex.mjs FILE
import { createReadStream } from 'node:fs';
import split2 from 'split2';

const LINE = /^\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ postfix(?:\/\w+)*\/(\w+)\[\d+\]: ([0-9A-F]{6,}): (.*)$/;
const CLIENT = /^client=([^,]+)/;
const PICKED_UP = /^uid=\d+ from=</;
const ACTIVE = /^from=<([^>]*)>, size=\d+, nrcpt=\d+ \(queue active\)/;
const EXPIRED = /^from=<[^>]*>, status=(?:force-)?expired, returned to sender/;
const ATTEMPT = /^to=<[^>]*>, (?:orig_to=<[^>]*>, )?relay=([^,]+), .*status=(\w+) \((.*)\)$/;
const NOTICE = /^sender non-delivery notification: ([0-9A-F]{6,})/;
const FORWARDED = /forwarded as ([0-9A-F]{6,})$/;
const QUEUED = /queued as ([0-9A-F]{6,})$/;

const figures = { incoming: 0, delivered: 0, estimated: 0, actual: 0, suppressed: 0 };

/** One queue file; `parent` is set once the line that forwards or re-injects it has been seen. */
class QueueFile {
  fromOutside = false;
  counted = false;
  attempted = false;
  failed = false;
  ended = false;
  /** @type {QueueFile | null} */ parent = null;
}

/** @type {Map<string, QueueFile>} */
const files = new Map();

/** @param {string} id */
function fileOf(id) {
  let file = files.get(id);
  if (file === undefined) files.set(id, (file = new QueueFile()));
  return file;
}

/** @param {string} id begins a new life, whatever had this id before */
function begin(id, fromOutside = true) {
  const file = new QueueFile();
  file.fromOutside = fromOutside;
  files.set(id, file);
}

/** @param {QueueFile} file */
function rootOf(file) {
  let root = file;
  while (root.parent !== null) root = root.parent;
  return root;
}

/** @param {QueueFile} file */
function fail(file) {
  file.failed = true;
  const root = rootOf(file);
  if (root.counted && (root === file || !root.failed)) figures.estimated++;
  root.failed = true;
}

/** @param {QueueFile} parent @param {string} childId */
function link(parent, childId) {
  const child = files.get(childId);
  if (child === undefined || child.parent !== null || child.fromOutside) return;
  child.parent = parent;
  if (child.failed && !rootOf(parent).failed) fail(parent);
  if (child.ended) files.delete(childId);
}

/** @param {string} line */
function read(line) {
  const match = LINE.exec(line);
  if (match === null) return;
  const [, daemon, id, text] = match;
  switch (daemon) {
    case 'smtpd': {
      const client = CLIENT.exec(text);
      if (client !== null) begin(id, !client[1].startsWith('localhost['));
      return;
    }
    case 'pickup':
      if (PICKED_UP.test(text)) begin(id);
      return;
    case 'cleanup':
      // Without a client: a forward or a notice. Its id may have belonged to another message before.
      if (text.startsWith('message-id=') && (files.get(id)?.ended ?? true)) begin(id, false);
      return;
    case 'qmgr': {
      const file = fileOf(id);
      const active = ACTIVE.exec(text);
      if (active !== null) {
        if (file.fromOutside && !file.counted && active[1] !== '') {
          file.counted = true;
          figures.incoming++;
        }
      } else if (EXPIRED.test(text)) {
        if (!file.failed) fail(file);
      } else if (text === 'removed') {
        file.ended = true;
        if (file.fromOutside || file.parent !== null) files.delete(id);
      }
      return;
    }
    case 'bounce': {
      const notice = NOTICE.exec(text);
      if (notice === null) return;
      const root = rootOf(fileOf(id));
      if (root.counted) figures.actual++;
      return;
    }
    default: {
      const attempt = ATTEMPT.exec(text);
      if (attempt === null) return;
      const [, relay, status, reason] = attempt;
      const file = fileOf(id);
      const root = rootOf(file);
      if (root.counted && !root.attempted) {
        root.attempted = true;
        figures.delivered++;
      }
      if (status === 'bounced') {
        if (!file.failed) fail(file);
      } else if (status === 'sent') {
        const child = FORWARDED.exec(reason) ?? (relay.startsWith('127.0.0.1[') ? QUEUED.exec(reason) : null);
        if (child !== null) link(file, child[1]);
      }
    }
  }
}

const lines = createReadStream(process.argv[2], { highWaterMark: 1 << 20 }).pipe(split2('\n'));
for await (const line of lines) read(line);
console.log(JSON.stringify(figures));
