// Puts the parts together, runs one MTA until the file is full, and says what was written.
import { Agenda } from './agenda.mjs';
import { makeForeign } from './foreign.mjs';
import { createFile, LogWriter } from './log-writer.mjs';
import { makePeople } from './people.mjs';
import { queuePolicy } from './plan.mjs';
import { postfix } from './postfix.mjs';
import { qmail } from './qmail.mjs';
import { makeRandom } from './random.mjs';
import { sendmail } from './sendmail.mjs';
import { Truth } from './truth.mjs';

/** Raise when the same options begin to write other bytes: kept files are made anew then. */
export const GENERATOR_VERSION = 2;

/** 1 GB is about one day. */
const BYTES_PER_SECOND = 1e9 / 86_400;

/**
 * `connection` is one caller's visit, `bytesPerConnection` what it comes to in the log, with all its retries.
 * @typedef {{ connection: () => Iterator<number>, bytesPerConnection: number }} Mta
 * @typedef {{ host: string, domain: string, make: (simulation: Simulation) => Mta }} Site
 * @typedef {{ agenda: Agenda, log: LogWriter, random: import('./random.mjs').Random, people: import('./people.mjs').People,
 *   truth: Truth, policy: import('./plan.mjs').QueuePolicy, host: string, domain: string }} Simulation
 */

/** @type {Record<string, Site>} */
export const SITES = {
  postfix: { host: 'mx1', domain: 'corp.test', make: postfix },
  sendmail: { host: 'mail', domain: 'acme.test', make: sendmail },
  qmail: { host: 'qm', domain: 'shop.test', make: qmail },
};

/**
 * @param {{ mta: string, size: number, out: string, seed: number, unique: boolean, start: Date,
 *   format: import('./log-writer.mjs').StampFormat }} options
 */
export async function simulate(options) {
  const { host, domain, make } = SITES[options.mta];
  const random = makeRandom(options.seed);
  const agenda = new Agenda(options.start.getTime() * 1000);
  const log = new LogWriter(await createFile(options.out), agenda, {
    format: options.format,
    host,
    splogger: options.mta === 'qmail',
  });
  const people = makePeople(random, options.unique, domain);
  const policy = queuePolicy(options.size / BYTES_PER_SECOND);
  const truth = new Truth();
  const simulation = { agenda, log, random, people, truth, policy, host, domain };
  const { connection, bytesPerConnection } = make(simulation);
  const foreign = makeForeign(simulation);
  const pause = bytesPerConnection / BYTES_PER_SECOND;

  function* arrivals() {
    while (!agenda.closing) {
      agenda.spawn(connection(), 0);
      foreign();
      yield random.exponential(pause);
    }
  }

  agenda.spawn(arrivals(), 0);
  while (agenda.step()) {
    if (!log.blockIsFull) continue;
    if (log.bytes >= options.size) agenda.closing = true;
    await log.flush();
  }
  await log.close();

  const iso = (/** @type {number} */ micros) => new Date(Math.floor(micros / 1000)).toISOString();
  return {
    generator: {
      version: GENERATOR_VERSION,
      mta: options.mta,
      size: options.size,
      seed: options.seed,
      unique: options.unique,
      format: options.format,
      queue_lifetime: policy.lifetime,
      warn_after: policy.warnAfter,
    },
    period: { from: options.start.toISOString(), to: iso(agenda.now) },
    bytes: log.bytes,
    lines: log.lines,
    foreign: truth.foreign,
    statistics: truth.statistics,
    accounting: truth.accounting,
    dsn: truth.dsn,
    recipients: truth.recipients,
    rejected: { recipients: truth.rejectedRecipients },
    null_sender: truth.nullSender,
    open_messages: truth.openMessages,
  };
}
