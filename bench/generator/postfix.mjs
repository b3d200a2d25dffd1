// A Postfix 3.7 host: sessions, queue files, deliveries, notices. One generator function per process of a message's
// life; each yields the seconds until its next line, so that messages interleave as on a busy host.
import { makePids } from './pids.mjs';
import { DELIVERED, drawFate, drawRecipientCount, drawSize, RATES } from './plan.mjs';
import { hex5Upper, hex8, hex8Upper } from './random.mjs';
import { DEFERRALS, REFUSALS, replyText } from './replies.mjs';
import { NO_MESSAGE } from './truth.mjs';

/** What callers do. The rest brings mail for local users or for the relayed staff domain. */
const REJECTED = 0.3;
const ABORTED = 0.005;
const SUBMITTED = 0.14;
const NULL_SENDER = 0.02;
const FILTERED = 0.04;
const PICKED_UP = 0.03;

/** Delay texts: two significant digits, at most two decimals [Postfix util/format_tv.c]. */
const HUNDREDTHS = Array.from({ length: 100 }, (_, n) => String(n / 100));
const TENTHS = Array.from({ length: 100 }, (_, n) => String(n / 10));

/** @param {number} seconds */
function delayText(seconds) {
  if (seconds < 1) return HUNDREDTHS[Math.floor(seconds * 100)];
  return seconds < 10 ? TENTHS[Math.floor(seconds * 10)] : String(Math.floor(seconds));
}

/**
 * @typedef {'local' | 'smtp' | 'alias' | 'filter'} Way
 * @typedef {{ box: import('./people.mjs').Mailbox, original: string, way: Way, deferrals: number, refused: boolean, tries: number }} Recipient
 * @typedef {{ id: string, inode: string, born: number, sender: import('./people.mjs').Mailbox | null, senderIsLocal: boolean,
 *   size: number, messageId: string, recipients: Recipient[], message: import('./truth.mjs').Message, warned: boolean,
 *   notify: 'failure' | 'never' | 'success' }} QueueFile
 */

/** @param {import('./simulation.mjs').Simulation} simulation @returns {import('./simulation.mjs').Mta} */
export function postfix({ agenda, log, random, people, truth, policy, host, domain }) {
  const pids = makePids(random, 1800, 4_194_304);
  const [smtpd, cleanup, smtp, local, bounce, reinject, submission] = Array.from(
    { length: 7 },
    pids.makeService,
  );
  const qmgrPid = pids.fork();
  const pickupPid = pids.fork();

  /** Inodes of removed queue files; the file system gives the last freed one away first. @type {string[]} */
  const freeInodes = [];
  let lastInode = 0x21a56e;

  /** @param {import('./people.mjs').Mailbox} box @param {Way} way @param {import('./plan.mjs').Fate} fate @returns {Recipient} */
  const recipient = (box, way, fate, original = '') => ({
    box,
    original,
    way,
    deferrals: fate.deferrals,
    refused: fate.refused,
    tries: 0,
  });

  /** @returns {QueueFile} */
  function queueFile(
    /** @type {import('./people.mjs').Mailbox | null} */ sender,
    /** @type {boolean} */ senderIsLocal,
    /** @type {Recipient[]} */ recipients,
    message = NO_MESSAGE,
  ) {
    const inode = freeInodes.pop() ?? (++lastInode).toString(16).toUpperCase();
    const id = hex5Upper(agenda.now % 1_000_000) + inode;
    return {
      id,
      inode,
      born: agenda.now,
      sender,
      senderIsLocal,
      size: drawSize(random),
      messageId: '',
      recipients,
      message,
      warned: false,
      notify: 'failure',
    };
  }

  /** @param {QueueFile} file */
  function cleanupLine(file) {
    if (file.messageId === '')
      file.messageId = `${log.compactDate}.${hex8(random.bits())}@mail${random.below(900)}.example.net`;
    log.line(`postfix/cleanup[${cleanup.touch()}]: ${file.id}: message-id=<${file.messageId}>`);
  }

  /** @param {QueueFile} file @param {number} waiting */
  function activeLine(file, waiting) {
    log.line(
      `postfix/qmgr[${qmgrPid}]: ${file.id}: from=<${file.sender?.address ?? ''}>, size=${file.size}, nrcpt=${waiting} (queue active)`,
    );
  }

  // ---- callers ----------------------------------------------------------------------------------------------------

  function connection() {
    const u = random.unit();
    if (u < PICKED_UP) return pickup();
    if (u < PICKED_UP + SUBMITTED) return session('postfix/submission/smtpd', submission, 'submit');
    if (random.chance(REJECTED)) return session('postfix/smtpd', smtpd, 'reject');
    return session('postfix/smtpd', smtpd, random.chance(ABORTED) ? 'abort' : 'deliver');
  }

  /** @param {string} daemon @param {typeof smtpd} service @param {'submit' | 'reject' | 'abort' | 'deliver'} kind */
  function* session(daemon, service, kind) {
    const pid = service.take();
    const client = people.client();
    const tag = `${daemon}[${pid}]`;
    if (client.name === 'unknown' && random.chance(0.1)) {
      log.line(
        `${tag}: warning: hostname host-${client.ip}.example.invalid does not resolve to address ${client.ip}: Name or service not known`,
      );
    }
    log.line(`${tag}: connect from ${client.text}`);
    yield 0.02 + random.unit() * 0.2;
    const encrypted = kind === 'submit' || random.chance(0.2);
    const greeting = encrypted ? 'ehlo=2 starttls=1' : 'ehlo=1';
    let commands = encrypted ? 4 : 2;
    if (encrypted) {
      log.line(
        `${tag}: Anonymous TLS connection established from ${client.text}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256`,
      );
      yield 0.02;
    }
    if (kind === 'reject') {
      rejectLine(tag, client);
      yield 0.02 + random.unit() * 0.3;
      if (random.chance(0.2)) log.line(`${tag}: lost connection after RCPT from ${client.text}`);
      log.line(
        `${tag}: disconnect from ${client.text} ${greeting} mail=1 rcpt=0/1 quit=1 commands=${commands + 1}/${commands + 2}`,
      );
    } else if (kind === 'abort') {
      const file = queueFile(null, false, []);
      log.line(`${tag}: ${file.id}: client=${client.text}`);
      yield 0.1 + random.unit();
      log.line(`${tag}: lost connection after DATA (${random.below(4000)} bytes) from ${client.text}`);
      log.line(
        `${tag}: disconnect from ${client.text} ${greeting} mail=1 rcpt=1 data=0/1 commands=${commands + 1}/${commands + 2}`,
      );
      freeInodes.push(file.inode);
    } else {
      const messages = random.chance(0.08) ? 2 + random.tailed(4) : 1;
      let accepted = 0;
      for (let i = 0; i < messages; i++) {
        // Not by yield*: every level of delegation is paid for at each resumption.
        const file = mailFrom(tag, client, kind === 'submit');
        yield 0.01 + random.unit() * 0.2;
        cleanupLine(file);
        yield 0.002 + random.unit() * 0.02;
        enqueue(file);
        accepted += file.recipients.length;
      }
      commands += 2 * messages + accepted;
      log.line(
        `${tag}: disconnect from ${client.text} ${greeting}${kind === 'submit' ? ' auth=1' : ''} mail=${messages} rcpt=${accepted} data=${messages} quit=1 commands=${commands + (kind === 'submit' ? 1 : 0)}`,
      );
    }
    service.giveBack(pid);
  }

  /** @param {string} tag @param {import('./people.mjs').Host} client */
  function rejectLine(tag, client) {
    truth.rejectedRecipients++;
    const from = random.chance(0.15) ? '' : people.stranger().address;
    const u = random.unit();
    const to = u < 0.6 ? people.user().address : people.stranger().address;
    const head = `${tag}: NOQUEUE: reject: RCPT from ${client.text}: `;
    const tail = `; from=<${from}> to=<${to}> proto=ESMTP helo=<${client.name === 'unknown' ? `[${client.ip}]` : client.name}>`;
    if (u < 0.35)
      log.line(
        `${head}550 5.1.1 <${to}>: Recipient address rejected: User unknown in local recipient table${tail}`,
      );
    else if (u < 0.6)
      log.line(
        `${head}554 5.7.1 Service unavailable; Client host [${client.ip}] blocked using dnsbl.example.net; Listed, see http://dnsbl.example.net/?ip=${client.ip}${tail}`,
      );
    else if (u < 0.85) log.line(`${head}554 5.7.1 <${to}>: Relay access denied${tail}`);
    else log.line(`${head}450 4.7.1 <${client.text}>: Client host rejected: come back later${tail}`);
  }

  /** The first recipient is accepted: there is a queue file now. @param {string} tag @param {import('./people.mjs').Host} client @param {boolean} authenticated */
  function mailFrom(tag, client, authenticated) {
    const file = queueFile(null, authenticated, []);
    if (authenticated) {
      file.sender = people.user();
      log.line(
        `${tag}: ${file.id}: client=${client.text}, sasl_method=PLAIN, sasl_username=${file.sender.address}`,
      );
    } else {
      if (!random.chance(NULL_SENDER)) file.sender = people.stranger();
      log.line(`${tag}: ${file.id}: client=${client.text}`);
    }
    const count = file.sender === null ? 1 : drawRecipientCount(random);
    while (file.recipients.length < count) {
      const one = authenticated ? outgoing() : inbound();
      // cleanup(8) takes nobody twice.
      if (file.recipients.every((other) => other.box.address !== one.box.address)) file.recipients.push(one);
    }
    if (random.chance(RATES.neverNotify)) file.notify = 'never';
    else if (random.chance(RATES.successRequested) && file.recipients[0].way === 'local')
      file.notify = 'success';
    return file;
  }

  /** The end of the data: on to the queue manager. @param {QueueFile} file */
  function enqueue(file) {
    file.message = truth.accepted(file.sender === null);
    truth.queueFileMade(file.message);
    agenda.spawn(random.chance(FILTERED) ? filter(file) : queued(file), 0);
  }

  const outgoing = () =>
    recipient(random.chance(0.8) ? people.stranger() : people.staff(), 'smtp', drawFate(random));

  function inbound() {
    const u = random.unit();
    if (u < 0.05) return recipient(people.user(), 'alias', DELIVERED);
    // A virtual alias to an outside address: original and final recipient differ.
    if (u < 0.1) return recipient(people.stranger(), 'smtp', drawFate(random), people.user().address);
    return u < 0.6
      ? recipient(people.user(), 'local', drawFate(random, 0.03, 0.03))
      : recipient(people.staff(), 'smtp', drawFate(random));
  }

  function* pickup() {
    const file = queueFile(people.user(), true, [outgoing()]);
    log.line(
      `postfix/pickup[${pickupPid}]: ${file.id}: uid=${1000 + random.below(200)} from=<${file.sender?.local}>`,
    );
    yield 0.003;
    cleanupLine(file);
    yield 0.004;
    enqueue(file);
  }

  // ---- the queue --------------------------------------------------------------------------------------------------

  /** The life of a queue file from its first activation to its removal. @param {QueueFile} file */
  function* queued(file) {
    let waiting = file.recipients;
    for (;;) {
      activeLine(file, waiting.length);
      let failures = 0;
      /** @type {Recipient[]} */
      const deferred = [];
      for (const one of waiting) {
        if (one.way === 'alias') {
          yield* forward(file, one);
          continue;
        }
        yield 0.005 + random.exponential(one.way === 'local' ? 0.03 : 0.4);
        const outcome = attempt(file, one);
        if (outcome === 'deferred') deferred.push(one);
        else if (outcome === 'failed') failures++;
      }
      const age = (agenda.now - file.born) / 1e6;
      if (deferred.length > 0 && age > policy.lifetime) {
        yield 0.001;
        log.line(
          `postfix/qmgr[${qmgrPid}]: ${file.id}: from=<${file.sender?.address ?? ''}>, status=expired, returned to sender`,
        );
        for (let i = 0; i < deferred.length; i++) truth.finished(file.message, 'expired', true);
        failures += deferred.length;
        deferred.length = 0;
      }
      if (failures > 0) yield* notice(file, 'non-delivery');
      if (file.notify === 'success' && failures === 0 && deferred.length === 0)
        yield* notice(file, 'delivery status');
      if (deferred.length === 0) break;
      if (!file.warned && age > policy.warnAfter) {
        file.warned = true;
        yield* notice(file, 'delay');
      }
      waiting = deferred;
      yield Math.min(policy.maxBackoff, Math.max(policy.minBackoff, age)) * (1 + random.unit() * 0.1);
    }
    if (random.chance(0.3)) yield 0.001;
    remove(file);
  }

  /** @param {QueueFile} file */
  function remove(file) {
    log.line(`postfix/qmgr[${qmgrPid}]: ${file.id}: removed`);
    freeInodes.push(file.inode);
    truth.queueFileGone(file.message);
  }

  /** One delivery attempt: one line. @param {QueueFile} file @param {Recipient} one @returns {'sent' | 'deferred' | 'failed'} */
  function attempt(file, one) {
    const { box } = one;
    const age = (agenda.now - file.born) / 1e6;
    const setUp = random.unit() * 0.1;
    const transmission = random.unit() * 0.1;
    const before = Math.max(0, age - setUp - transmission);
    const address = box.address;
    const original = one.original === '' ? '' : `, orig_to=<${one.original}>`;
    const delays = `delay=${delayText(age)}, delays=${delayText(before)}/0.01/${delayText(setUp)}/${delayText(transmission)}`;
    const wasDeferred = one.tries > 0;
    truth.attempted(file.message);

    if (one.tries < one.deferrals) {
      if (one.tries++ === 0) truth.deferred(file.message);
      deferralLine(file, one, original, delays);
      return 'deferred';
    }
    if (one.refused) {
      truth.finished(file.message, 'failed', wasDeferred);
      if (one.way === 'local') {
        log.line(
          `postfix/local[${local.touch()}]: ${file.id}: to=<${address}>${original}, relay=local, ${delays}, dsn=5.1.1, status=bounced (unknown user: "${box.local}")`,
        );
      } else if (random.chance(0.1)) {
        log.line(
          `postfix/smtp[${smtp.touch()}]: ${file.id}: to=<${address}>${original}, relay=none, ${delays}, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=${box.mx.name} type=A: Host not found)`,
        );
      } else {
        const reply = REFUSALS[random.tailed(REFUSALS.length)];
        log.line(
          `postfix/smtp[${smtp.touch()}]: ${file.id}: to=<${address}>${original}, relay=${box.mx.text}:25, ${delays}, dsn=${reply.dsn}, status=bounced (host ${box.mx.text} said: ${replyText(reply, address)} (in reply to ${reply.verb} command))`,
        );
      }
      return 'failed';
    }
    truth.finished(file.message, 'delivered', wasDeferred);
    if (one.way === 'local') {
      log.line(
        `postfix/local[${local.touch()}]: ${file.id}: to=<${address}>${original}, relay=local, ${delays}, dsn=2.0.0, status=sent (delivered to maildir)`,
      );
    } else {
      log.line(
        `postfix/smtp[${smtp.touch()}]: ${file.id}: to=<${address}>${original}, relay=${box.mx.text}:25, ${delays}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${hex8Upper(random.bits())})`,
      );
    }
    return 'sent';
  }

  /** @param {QueueFile} file @param {Recipient} one @param {string} original @param {string} delays */
  function deferralLine(file, one, original, delays) {
    const { address, mx } = one.box;
    if (one.way === 'local') {
      log.line(
        `postfix/local[${local.touch()}]: ${file.id}: to=<${address}>${original}, relay=local, ${delays}, dsn=4.2.2, status=deferred (cannot update mailbox /var/mail/${one.box.local} for user ${one.box.local}. error writing message: Disk quota exceeded)`,
      );
      return;
    }
    const u = random.unit();
    if (u < 0.2) {
      const pid = smtp.touch();
      log.line(`postfix/smtp[${pid}]: connect to ${mx.text}:25: Connection timed out`);
      log.line(
        `postfix/smtp[${pid}]: ${file.id}: to=<${address}>${original}, relay=none, ${delays}, dsn=4.4.1, status=deferred (connect to ${mx.text}:25: Connection timed out)`,
      );
    } else if (u < 0.35 && one.tries > 1) {
      log.line(
        `postfix/error[${smtp.touch()}]: ${file.id}: to=<${address}>${original}, relay=none, ${delays}, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to ${mx.text}:25: Connection timed out)`,
      );
    } else {
      const reply = DEFERRALS[random.tailed(DEFERRALS.length)];
      log.line(
        `postfix/smtp[${smtp.touch()}]: ${file.id}: to=<${address}>${original}, relay=${mx.text}:25, ${delays}, dsn=${reply.dsn}, status=deferred (host ${mx.text} said: ${replyText(reply, address)} (in reply to ${reply.verb} command))`,
      );
    }
  }

  // ---- what becomes of a message elsewhere in the queue -------------------------------------------------------------

  /** An alias: a second queue file; its cleanup and qmgr lines come before the first one's. @param {QueueFile} file @param {Recipient} one */
  function* forward(file, one) {
    const child = queueFile(
      file.sender,
      file.senderIsLocal,
      [
        random.chance(0.5)
          ? recipient(people.stranger(), 'smtp', drawFate(random), one.box.address)
          : recipient(people.user(), 'local', DELIVERED, one.box.address),
      ],
      file.message,
    );
    child.messageId = file.messageId;
    truth.attempted(file.message);
    truth.queueFileMade(file.message);
    cleanupLine(child);
    yield 0.003;
    agenda.spawn(queued(child), random.unit() * 0.002);
    yield 0.001 + random.unit() * 0.002;
    const age = (agenda.now - file.born) / 1e6;
    log.line(
      `postfix/local[${local.touch()}]: ${file.id}: to=<${one.box.address}>, relay=local, delay=${delayText(age)}, delays=${delayText(age)}/0/0/0, dsn=2.0.0, status=sent (forwarded as ${child.id})`,
    );
  }

  /** An after-queue content filter: the message goes out to it and comes back as a new queue file. @param {QueueFile} file */
  function* filter(file) {
    activeLine(file, file.recipients.length);
    yield 0.01 + random.exponential(0.5);
    const child = queueFile(file.sender, file.senderIsLocal, file.recipients, file.message);
    child.messageId = file.messageId;
    child.notify = file.notify;
    truth.queueFileMade(file.message);
    const pid = reinject.take();
    log.line(`postfix/reinject/smtpd[${pid}]: connect from ${people.loopback.text}`);
    const forwarded = random.chance(0.5)
      ? `, orig_queue_id=${file.id}, orig_client=${people.client().text}`
      : '';
    log.line(`postfix/reinject/smtpd[${pid}]: ${child.id}: client=${people.loopback.text}${forwarded}`);
    yield 0.002;
    cleanupLine(child);
    yield 0.003;
    agenda.spawn(queued(child), random.unit() * 0.004);
    yield 0.002;
    log.line(
      `postfix/reinject/smtpd[${pid}]: disconnect from ${people.loopback.text} ehlo=1 mail=1 rcpt=${file.recipients.length} data=1 quit=1 commands=${file.recipients.length + 4}`,
    );
    reinject.giveBack(pid);
    truth.attempted(file.message);
    const smtpPid = smtp.touch();
    const age = delayText((agenda.now - file.born) / 1e6);
    for (const one of file.recipients) {
      log.line(
        `postfix/smtp[${smtpPid}]: ${file.id}: to=<${one.box.address}>, relay=127.0.0.1[127.0.0.1]:10024, delay=${age}, delays=0.01/0/0.01/${age}, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as ${child.id})`,
      );
    }
    yield 0.001;
    remove(file);
  }

  /** A notice to the sender. @param {QueueFile} file @param {'non-delivery' | 'delay' | 'delivery status'} kind */
  function* notice(file, kind) {
    if (file.sender === null) return;
    // NOTIFY=NEVER: no delay notice, and of a failure notice only cleanup's line, an orphan.
    if (file.notify === 'never' && kind === 'delay') return;
    const fate = drawFate(
      random,
      file.senderIsLocal ? 0 : RATES.dsnRefused,
      file.senderIsLocal ? 0 : RATES.dsnDeferred,
    );
    const child = queueFile(null, false, [
      recipient(file.sender, file.senderIsLocal ? 'local' : 'smtp', fate),
    ]);
    child.messageId = `${log.compactDate}.${child.id}@${host}.${domain}`;
    yield 0.001;
    cleanupLine(child);
    yield 0.001;
    if (file.notify === 'never') {
      freeInodes.push(child.inode);
      return;
    }
    agenda.spawn(queued(child), random.unit() * 0.003);
    yield random.unit() * 0.003;
    log.line(`postfix/bounce[${bounce.touch()}]: ${file.id}: sender ${kind} notification: ${child.id}`);
    if (kind === 'non-delivery') truth.failureDsn(file.message);
    else if (file.message.incoming) truth.dsn[kind === 'delay' ? 'delay' : 'success']++;
  }

  return { connection, bytesPerConnection: 1170 };
}
