// A sendmail 8.17 host: a forked process per connection, a background process per delivery, a queue run now and then,
// and the submission program (MSP) that hands local mail to the daemon.
import { makePids } from './pids.mjs';
import { DELIVERED, drawFate, drawRecipientCount, drawSize, RATES } from './plan.mjs';
import { hex8, hex8Upper } from './random.mjs';
import { DEFERRALS, REFUSALS, replyText } from './replies.mjs';
import { NO_MESSAGE } from './truth.mjs';

const REJECTED = 0.25;
const SUBMITTED = 0.14;
const LOCAL = 0.04;
const NULL_SENDER = 0.02;
const ALIASED = 0.03;
const LIST = 0.005;
const DAEMON_DROPPED = 0.005;

/** Base 60, eight of these in a queue id; base 62 for the seconds 60 and 61. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SEQUENCES = 3600;
/** What header lines add to the size, roughly. */
const HEADERS = 184;
const PER_RECIPIENT = 30_000;
const PER_RETRY = 90_000;

/** `[days+]HH:MM:SS`, as in delay=. @param {number} seconds */
function clockText(seconds) {
  const whole = Math.floor(seconds);
  const two = (/** @type {number} */ n) => (n < 10 ? `0${n}` : `${n}`);
  const days = Math.floor(whole / 86_400);
  const time = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return days > 0 ? `${days}+${time}` : time;
}

/** As sendmail says it in a warning: `4 hours`. @param {number} seconds */
function intervalText(seconds) {
  const units = /** @type {const} */ ([
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ]);
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size);
    if (count > 0 && seconds % size === 0) return `${count} ${name}${count > 1 ? 's' : ''}`;
  }
  return `${seconds} seconds`;
}

/**
 * `address` is the to= list: recipients that go to the same host share a line, `count` of them.
 * `stamp`: the six first characters of the queue ids that this process makes; a forked one inherits it.
 * @typedef {{ pid: number, stamp: string, sequence: number }} Process
 * @typedef {{ address: string, mx: import('./people.mjs').Host, mailer: 'local' | 'esmtp', control: string, deferrals: number, refused: boolean, tries: number, count: number }} Recipient
 * @typedef {{ id: string, born: number, sender: import('./people.mjs').Mailbox | null, senderIsLocal: boolean, size: number,
 *   priority: number, recipients: Recipient[], message: import('./truth.mjs').Message, warned: boolean,
 *   kind: 'mail' | 'nullSender' | 'dsn' | 'doubleBounce', notify: 'failure' | 'never' | 'success' }} Envelope
 */

/** @param {import('./simulation.mjs').Simulation} simulation @returns {import('./simulation.mjs').Mta} */
export function sendmail({ agenda, log, random, people, truth, policy, host, domain }) {
  const { fork } = makePids(random, 1200, 4_194_304);
  const lifetimeText = intervalText(policy.lifetime);
  const warningText = intervalText(policy.warnAfter);

  let stampSecond = -1;
  let stamp = '';
  function idStamp() {
    const second = Math.floor(agenda.now / 1e6);
    if (second !== stampSecond) {
      stampSecond = second;
      const at = new Date(second * 1000);
      stamp =
        DIGITS[(at.getUTCFullYear() - 1900) % 60] +
        DIGITS[at.getUTCMonth()] +
        DIGITS[at.getUTCDate()] +
        DIGITS[at.getUTCHours()] +
        DIGITS[at.getUTCMinutes()] +
        DIGITS[at.getUTCSeconds()];
    }
    return stamp;
  }

  /** @returns {Process} */
  const start = () => ({ pid: fork(), stamp: idStamp(), sequence: random.below(SEQUENCES) });
  /** @param {Process} parent @returns {Process} */
  const forkOf = (parent) => ({ pid: fork(), stamp: parent.stamp, sequence: parent.sequence });

  /** @param {Process} process */
  function queueId(process) {
    process.sequence = (process.sequence + 1) % SEQUENCES;
    const { sequence, pid } = process;
    return `${process.stamp}${DIGITS[Math.floor(sequence / 60)]}${DIGITS[sequence % 60]}${String(pid).padStart(6, '0')}`;
  }

  /** @param {import('./people.mjs').Mailbox} box @param {'local' | 'esmtp'} mailer @param {import('./plan.mjs').Fate} fate @returns {Recipient} */
  const recipient = (box, mailer, fate, control = '') => ({
    address: `<${box.address}>`,
    mx: box.mx,
    mailer,
    control,
    deferrals: fate.deferrals,
    refused: fate.refused,
    tries: 0,
    count: 1,
  });

  /** @param {string} id @param {Envelope['kind']} kind @param {import('./people.mjs').Mailbox | null} sender @param {Recipient[]} recipients @returns {Envelope} */
  function envelope(id, kind, sender, senderIsLocal = false, recipients = []) {
    const size = drawSize(random);
    return {
      id,
      born: agenda.now,
      sender,
      senderIsLocal,
      size,
      priority: size + HEADERS,
      recipients,
      message: NO_MESSAGE,
      warned: false,
      kind,
      notify: 'failure',
    };
  }

  const messageId = () => `<${log.compactDate}.${hex8(random.bits())}@mail${random.below(900)}.example.net>`;
  const relayText = (/** @type {import('./people.mjs').Host} */ client) =>
    client.name === 'unknown' ? `[${client.ip}]` : `${client.name} [${client.ip}]`;

  // ---- callers ----------------------------------------------------------------------------------------------------

  function connection() {
    const u = random.unit();
    if (u < LOCAL) return submission();
    return session(u < LOCAL + SUBMITTED, random.chance(REJECTED));
  }

  /** @param {boolean} authenticated @param {boolean} rejected */
  function* session(authenticated, rejected) {
    const daemon = start();
    const client = people.client();
    const relay = relayText(client);
    const tag = `sm-mta[${daemon.pid}]: `;
    const encrypted = authenticated || random.chance(0.4);
    if (encrypted)
      log.line(
        `${tag}STARTTLS=server, relay=${relay}, version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256`,
      );
    const messages = random.chance(0.06) ? 2 + random.tailed(4) : 1;
    if (authenticated)
      log.line(`${tag}AUTH=server, relay=${relay}, authid=${people.user().local}, mech=PLAIN, bits=0`);
    else if (random.chance(DAEMON_DROPPED)) {
      log.line(
        `${tag}${queueId(daemon)}: ${relay} did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA-v4`,
      );
      return;
    }
    for (let i = 0; i < messages; i++) {
      yield 0.02 + random.unit() * 0.3;
      const id = queueId(daemon);
      if (rejected && !authenticated) {
        reject(tag, id, relay);
        continue;
      }
      const nullSender = !authenticated && random.chance(NULL_SENDER);
      const sender = nullSender ? null : authenticated ? people.user() : people.stranger();
      const mail = envelope(id, nullSender ? 'nullSender' : 'mail', sender, authenticated);
      const count = nullSender ? 1 : drawRecipientCount(random);
      const control = authenticated ? `<${sender?.address}> (${1000 + random.below(200)}/1000)` : '';
      const named = new Set();
      while (named.size < count) {
        const one = authenticated ? outgoing(control) : inbound();
        // recipient() in recipient.c takes nobody twice.
        if (named.has(one.address)) continue;
        named.add(one.address);
        addRecipient(mail, one);
      }
      drawNotify(mail);
      mail.priority += PER_RECIPIENT * count;
      mail.message = truth.accepted(nullSender);
      truth.queueFileMade(mail.message);
      const proto = authenticated ? 'ESMTPSA' : encrypted ? 'ESMTPS' : 'ESMTP';
      log.line(
        `${tag}${id}: from=<${sender?.address ?? ''}>, size=${mail.size}, class=0, nrcpts=${count}, msgid=${messageId()}, proto=${proto}, daemon=${authenticated ? 'MSA' : 'MTA-v4'}, relay=${relay}`,
      );
      const runner = forkOf(daemon);
      agenda.spawn(!nullSender && random.chance(LIST) ? list(mail, runner) : queued(mail, runner), 0.005);
    }
  }

  /** @param {string} tag @param {string} id @param {string} relay */
  function reject(tag, id, relay) {
    truth.rejectedRecipients++;
    const from = random.chance(0.15) ? '' : people.stranger().address;
    const u = random.unit();
    if (u < 0.5) log.line(`${tag}${id}: <${people.user().address}>... User unknown`);
    else {
      const to = people.stranger().address;
      const reason = u < 0.8 ? `550 5.7.1 <${to}>... Relaying denied` : `550 5.7.1 <${to}>... Access denied`;
      log.line(`${tag}${id}: ruleset=check_rcpt, arg1=<${to}>, relay=${relay}, reject=${reason}`);
    }
    log.line(
      `${tag}${id}: from=<${from}>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA-v4, relay=${relay}`,
    );
  }

  /** One line of to= for all that the same host takes at once. @param {Envelope} mail @param {Recipient} one */
  function addRecipient(mail, one) {
    const plain = one.deferrals === 0 && !one.refused;
    const same = plain
      ? mail.recipients.find(
          (other) =>
            other.mx === one.mx &&
            other.mailer === one.mailer &&
            other.control === one.control &&
            other.deferrals === 0 &&
            !other.refused,
        )
      : undefined;
    if (same === undefined) mail.recipients.push(one);
    else {
      same.address = `${one.address},${same.address}`;
      same.count++;
    }
  }

  /** @param {Envelope} mail */
  function drawNotify(mail) {
    if (random.chance(RATES.neverNotify)) {
      mail.notify = 'never';
      // With NOTIFY=NEVER sendmail drops an expired message without a word: nobody could tell from the log.
      for (const one of mail.recipients) one.deferrals = Math.min(one.deferrals, 2);
    } else if (
      random.chance(RATES.successRequested) &&
      mail.sender !== null &&
      mail.recipients[0].mailer === 'local'
    )
      mail.notify = 'success';
  }

  const outgoing = (/** @type {string} */ control) =>
    recipient(random.chance(0.8) ? people.stranger() : people.staff(), 'esmtp', drawFate(random), control);

  function inbound() {
    // An alias: the outside address is what is delivered to, the alias is the controlling user.
    if (random.chance(ALIASED))
      return recipient(people.stranger(), 'esmtp', drawFate(random), `<${people.user().address}> (8/0)`);
    return random.chance(0.5)
      ? recipient(people.user(), 'local', drawFate(random, 0.03, 0.03))
      : recipient(people.staff(), 'esmtp', drawFate(random));
  }

  /** Command line: the MSP's envelope and the daemon's are one message. */
  function* submission() {
    const program = start();
    const sender = people.user();
    const id = queueId(program);
    const tag = `sendmail[${program.pid}]: `;
    const msgid = `<${log.compactDate.slice(0, 12)}.${id}@${host}.${domain}>`;
    const mail = envelope('', 'mail', sender, true, [outgoing(`<${sender.address}> (1001/1001)`)]);
    drawNotify(mail);
    mail.priority += PER_RECIPIENT;
    const to = mail.recipients[0].address.slice(1, -1);
    log.line(
      `${tag}${id}: from=${sender.local}, size=${mail.size - 150}, class=0, nrcpts=1, msgid=${msgid}, relay=${sender.local}@localhost`,
    );
    yield 0.01;
    const daemon = start();
    mail.id = queueId(daemon);
    mail.born = agenda.now;
    mail.message = truth.accepted(false);
    truth.queueFileMade(mail.message);
    log.line(
      `sm-mta[${daemon.pid}]: ${mail.id}: from=<${sender.address}>, size=${mail.size}, class=0, nrcpts=1, msgid=${msgid}, proto=ESMTP, daemon=MTA-v4, relay=localhost [127.0.0.1]`,
    );
    agenda.spawn(queued(mail, forkOf(daemon)), random.unit() * 0.02);
    yield random.unit() * 0.02;
    truth.attempted(mail.message);
    log.line(
      `${tag}${id}: to=${to}, ctladdr=${sender.local} (${1000 + random.below(200)}/1000), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=${mail.size - 150 + PER_RECIPIENT}, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (${mail.id} Message accepted for delivery)`,
    );
  }

  // ---- the queue --------------------------------------------------------------------------------------------------

  /** A list with an owner: sendmail clones the envelope, and sends under the clone's id. @param {Envelope} mail @param {Process} runner */
  function* list(mail, runner) {
    yield 0.01;
    const clone = queueId(runner);
    log.line(`sm-mta[${runner.pid}]: ${mail.id}: ${clone}: clone: owner=owner-news`);
    mail.id = clone;
    mail.sender = people.user();
    mail.senderIsLocal = true;
    mail.notify = 'failure';
    mail.recipients = [
      recipient(people.user(), 'local', DELIVERED, 'owner-news (1007/1007)'),
      recipient(people.stranger(), 'esmtp', drawFate(random), 'owner-news (1007/1007)'),
    ];
    yield* queued(mail, runner);
  }

  let runnerOf = -1;
  let queueRunner = start();
  /** All that is due is tried by one process, in one run. */
  function queueRun() {
    const run = Math.floor(agenda.now / 1e6 / policy.queueInterval);
    if (run !== runnerOf) {
      runnerOf = run;
      queueRunner = start();
    }
    return queueRunner;
  }

  /** @param {Envelope} mail @param {Process} runner */
  function* queued(mail, runner) {
    let waiting = mail.recipients;
    for (;;) {
      let fatal = '';
      /** @type {Recipient[]} */
      const deferred = [];
      for (const one of waiting) {
        const took = random.exponential(one.mailer === 'local' ? 0.02 : 0.5);
        yield took;
        const outcome = attempt(mail, runner, one, took);
        if (outcome === 'Deferred') deferred.push(one);
        else if (outcome !== 'Sent') fatal = outcome;
      }
      const age = (agenda.now - mail.born) / 1e6;
      if (deferred.length > 0 && age > policy.lifetime) {
        for (let i = 0; i < deferred.length; i++) truth.finished(mail.message, 'expired', true);
        deferred.length = 0;
        fatal = `Cannot send message for ${lifetimeText}`;
      }
      if (fatal !== '') report(mail, runner, fatal);
      else if (deferred.length === 0 && mail.notify === 'success') report(mail, runner, 'Return receipt');
      if (deferred.length === 0) break;
      // A warning and a failure of the same run would be one report: the warning waits for the next run here.
      if (fatal === '' && !mail.warned && age > policy.warnAfter) {
        mail.warned = true;
        report(mail, runner, `Warning: could not send message for past ${warningText}`);
      }
      waiting = deferred;
      mail.priority += PER_RETRY;
      const now = agenda.now / 1e6;
      const nextRun = (Math.floor(now / policy.queueInterval) + 1) * policy.queueInterval;
      yield nextRun - now + random.unit() * Math.min(60, policy.queueInterval / 4);
      runner = queueRun();
    }
    truth.queueFileGone(mail.message);
  }

  /** One attempt, one line. Returns the first word of its stat= that matters. @param {Envelope} mail @param {Process} runner @param {Recipient} one @param {number} took */
  function attempt(mail, runner, one, took) {
    truth.attempted(mail.message);
    const control = one.control === '' ? '' : `, ctladdr=${one.control}`;
    const age = (agenda.now - mail.born) / 1e6;
    const head = `sm-mta[${runner.pid}]: ${mail.id}: to=${one.address}${control}, delay=${clockText(age)}, xdelay=${clockText(took)}, mailer=${one.mailer}, pri=${mail.priority}`;
    const wasDeferred = one.tries > 0;
    const relay = `, relay=${one.mx.name}. [${one.mx.ip}]`;
    if (one.tries < one.deferrals) {
      if (one.tries++ === 0) truth.deferred(mail.message);
      if (one.mailer === 'local')
        log.line(
          `${head}, dsn=4.2.2, stat=Deferred: local mailer (/usr/bin/procmail) exited with EX_TEMPFAIL`,
        );
      else if (random.chance(0.4))
        log.line(
          `${head}, relay=${one.mx.name}., dsn=4.4.1, stat=Deferred: Connection refused by ${one.mx.name}.`,
        );
      else {
        const reply = DEFERRALS[random.tailed(DEFERRALS.length)];
        const text = replyText(reply, one.address.slice(1, -1));
        log.line(`${head}${relay}, dsn=${reply.dsn}, reply=${text}, stat=Deferred: ${text}`);
      }
      return 'Deferred';
    }
    if (one.refused) {
      truth.finished(mail.message, 'failed', wasDeferred);
      if (one.mailer === 'local') {
        log.line(`${head}, dsn=5.1.1, stat=User unknown`);
        return 'User unknown';
      }
      if (random.chance(0.1)) {
        const stat = `Host unknown (Name server: ${one.mx.name}.: host not found)`;
        log.line(`${head}, relay=${one.mx.name}., dsn=5.1.2, stat=${stat}`);
        return stat;
      }
      const reply = REFUSALS[random.tailed(REFUSALS.length)];
      log.line(
        `${head}${relay}, dsn=${reply.dsn}, reply=${replyText(reply, one.address.slice(1, -1))}, stat=${reply.stat}`,
      );
      return reply.stat;
    }
    for (let i = 0; i < one.count; i++) truth.finished(mail.message, 'delivered', wasDeferred);
    if (one.mailer === 'local') log.line(`${head}, dsn=2.0.0, stat=Sent`);
    else log.line(`${head}${relay}, dsn=2.0.0, stat=Sent (Ok: queued as ${hex8Upper(random.bits())})`);
    return 'Sent';
  }

  /** A report under a new id; the kind's words depend on what it is about. @param {Envelope} mail @param {Process} runner @param {string} text */
  function report(mail, runner, text) {
    const warning = text.startsWith('Warning');
    const receipt = text === 'Return receipt';
    if (mail.kind === 'doubleBounce') return;
    if (mail.notify === 'never' || (warning && mail.sender === null)) return;
    const about = mail.kind;
    const id = queueId(runner);
    const words =
      about === 'dsn'
        ? 'return to sender'
        : about === 'nullSender'
          ? 'postmaster notify'
          : mail.warned
            ? 'sender notify'
            : 'DSN';
    log.line(`sm-mta[${runner.pid}]: ${mail.id}: ${id}: ${words}: ${text}`);

    if (about === 'dsn') truth.dsn.double_bounce++;
    else if (about === 'nullSender') truth.dsn.postmaster++;
    else if (warning) truth.dsn.delay++;
    else if (receipt) truth.dsn.success++;
    else truth.failureDsn(mail.message);

    let to;
    if (about !== 'mail' || mail.sender === null) {
      to = recipient(people.user(), 'local', DELIVERED);
      to.address = 'postmaster';
    } else if (mail.senderIsLocal) to = recipient(mail.sender, 'local', DELIVERED);
    else to = recipient(mail.sender, 'esmtp', drawFate(random, RATES.dsnRefused, RATES.dsnDeferred));
    const child = envelope(id, about === 'mail' ? 'dsn' : 'doubleBounce', null, false, [to]);
    child.priority += PER_RECIPIENT;
    agenda.spawn(queued(child, runner), 0.001);
  }

  return { connection, bytesPerConnection: 745 };
}
