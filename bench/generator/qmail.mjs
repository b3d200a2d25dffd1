// A qmail host: one qmail-send that says what it does, through splogger or multilog. Message numbers are inodes and are
// used again at once; the pid of qmail-queue (qp) is what links a bounce or a forward to its message.
import { DELIVERED, drawFate, drawRecipientCount, drawSize, RATES } from './plan.mjs';
import { hex8Upper } from './random.mjs';
import { DEFERRALS, REFUSALS, replyText, underscored } from './replies.mjs';
import { NO_MESSAGE } from './truth.mjs';

const SUBMITTED = 0.16;
const NULL_SENDER = 0.02;
const FORWARDED = 0.06;
const MAX_PID = 32_768;

const UID = { smtpd: 1002, alias: 1001, send: 1007 };
const LIMITS = { local: 10, remote: 40 };
const TOO_LONG = "I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./";
const QMAIL_REFUSALS = underscored(REFUSALS);
const QMAIL_DEFERRALS = underscored(DEFERRALS);
const DOUBLE_BOUNCE_SENDER = '#@[]';

/**
 * `forward`: a .qmail file that names other addresses.
 * @typedef {{ box: import('./people.mjs').Mailbox, channel: 'local' | 'remote', forward: boolean, deferrals: number, refused: boolean, tries: number, delivery: number }} Recipient
 * @typedef {{ sender: string, senderBox: import('./people.mjs').Mailbox | null, senderIsLocal: boolean, qp: number, uid: number,
 *   recipients: Recipient[], message: import('./truth.mjs').Message }} Submission
 */

/** @param {import('./simulation.mjs').Simulation} simulation @returns {import('./simulation.mjs').Mta} */
export function qmail({ agenda, log, random, people, truth, policy, host, domain }) {
  /** Numbers of ended messages; the file system gives the last freed one away first. @type {number[]} */
  const freeNumbers = [];
  let lastNumber = 2_285_716;
  let lastPid = 213;
  let lastDelivery = 0;
  const running = { local: 0, remote: 0 };
  const postmaster = { address: `postmaster@${host}.${domain}`, local: 'postmaster', mx: people.loopback };

  function fork() {
    lastPid += 1 + random.below(3);
    if (lastPid >= MAX_PID) lastPid = 300 + random.below(50);
    return lastPid;
  }

  function statusLine() {
    log.qmailLine(`status: local ${running.local}/${LIMITS.local} remote ${running.remote}/${LIMITS.remote}`);
  }

  /** @param {import('./people.mjs').Mailbox} box @param {'local' | 'remote'} channel @param {import('./plan.mjs').Fate} fate @returns {Recipient} */
  const recipient = (box, channel, fate, forward = false) => ({
    box,
    channel,
    forward,
    deferrals: fate.deferrals,
    refused: fate.refused,
    tries: 0,
    delivery: 0,
  });

  // ---- callers ----------------------------------------------------------------------------------------------------

  function connection() {
    const local = random.chance(SUBMITTED);
    const nullSender = !local && random.chance(NULL_SENDER);
    const senderBox = nullSender ? null : local ? people.user() : people.stranger();
    const recipients = [];
    for (let count = nullSender ? 1 : drawRecipientCount(random); count > 0; count--)
      recipients.push(local ? outgoing() : inbound());
    return queued(
      {
        sender: senderBox?.address ?? '',
        senderBox,
        senderIsLocal: local,
        qp: fork(),
        uid: local ? 1100 + random.below(100) : UID.smtpd,
        recipients,
        message: NO_MESSAGE,
      },
      true,
    );
  }

  const outgoing = () => recipient(people.stranger(), 'remote', drawFate(random));

  function inbound() {
    if (random.chance(FORWARDED)) return recipient(people.user(), 'local', DELIVERED, true);
    if (random.chance(0.6)) return recipient(people.user(), 'local', drawFate(random, 0.05, 0.02));
    return recipient(people.staff(), 'remote', drawFate(random));
  }

  // ---- the queue --------------------------------------------------------------------------------------------------

  /** A message from `new msg` to `end msg`. @param {Submission} mail @param {boolean} handedIn not a bounce or a forward of our own */
  function* queued(mail, handedIn) {
    const number = freeNumbers.pop() ?? ++lastNumber;
    const born = agenda.now;
    log.qmailLine(`new msg ${number}`);
    log.qmailLine(
      `info msg ${number}: bytes ${drawSize(random)} from <${mail.sender}> qp ${mail.qp} uid ${mail.uid}`,
    );
    if (handedIn) {
      mail.message = truth.accepted(mail.sender === '');
      truth.queueFileMade(mail.message);
    }
    yield 0.002;
    let failed = false;
    let waiting = mail.recipients;
    for (;;) {
      const age = (agenda.now - born) / 1e6;
      const expiring = age > policy.lifetime;
      for (const one of waiting) {
        one.delivery = ++lastDelivery;
        running[one.channel]++;
        log.qmailLine(
          `starting delivery ${one.delivery}: msg ${number} to ${one.channel} ${one.box.address}`,
        );
        statusLine();
      }
      /** @type {Recipient[]} */
      const deferred = [];
      for (const one of waiting) {
        yield 0.003 + random.exponential(one.channel === 'local' ? 0.03 : 0.6);
        truth.attempted(mail.message);
        if (one.forward) {
          const qp = forward(mail);
          yield random.unit() * 0.01;
          log.qmailLine(`delivery ${one.delivery}: success: did_0+1+0/qp_${qp}/`);
        } else {
          const outcome = attempt(mail, one, expiring);
          if (outcome === 'deferral') deferred.push(one);
          else if (outcome === 'failure') failed = true;
        }
        running[one.channel]--;
        statusLine();
      }
      if (deferred.length === 0) break;
      waiting = deferred;
      yield Math.min(policy.maxBackoff, Math.max(policy.minBackoff, age)) * (1 + random.unit() * 0.1);
    }
    if (failed) {
      if (random.chance(0.5)) yield 0.01;
      bounce(mail, number);
    }
    log.qmailLine(`end msg ${number}`);
    freeNumbers.push(number);
    truth.queueFileGone(mail.message);
  }

  /** The result line of one delivery. @param {Submission} mail @param {Recipient} one @param {boolean} expiring @returns {'success' | 'failure' | 'deferral'} */
  function attempt(mail, one, expiring) {
    const { address, mx } = one.box;
    const wasDeferred = one.tries > 0;
    if (one.tries < one.deferrals) {
      const first = one.tries++ === 0;
      if (expiring) {
        truth.finished(mail.message, 'expired', wasDeferred);
        log.qmailLine(`delivery ${one.delivery}: failure: ${deferralText(one)}${TOO_LONG}`);
        return 'failure';
      }
      if (first) truth.deferred(mail.message);
      log.qmailLine(`delivery ${one.delivery}: deferral: ${deferralText(one)}`);
      return 'deferral';
    }
    if (one.refused) {
      truth.finished(mail.message, 'failed', wasDeferred);
      if (one.channel === 'local')
        log.qmailLine(`delivery ${one.delivery}: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/`);
      else if (random.chance(0.1))
        log.qmailLine(
          `delivery ${one.delivery}: failure: Sorry,_I_couldn't_find_any_host_named_${mx.name}._(#5.1.2)/`,
        );
      else {
        const reply = QMAIL_REFUSALS[random.tailed(QMAIL_REFUSALS.length)];
        log.qmailLine(
          `delivery ${one.delivery}: failure: ${refusal(reply, mx.ip)}${replyText(reply, address)}${reply.verb === 'RCPT TO' ? `/Giving_up_on_${mx.ip}./` : '/'}`,
        );
      }
      return 'failure';
    }
    truth.finished(mail.message, 'delivered', wasDeferred);
    if (one.channel === 'local') log.qmailLine(`delivery ${one.delivery}: success: did_1+0+0/`);
    else
      log.qmailLine(
        `delivery ${one.delivery}: success: ${mx.ip}_accepted_message./Remote_host_said:_250_2.0.0_Ok:_queued_as_${hex8Upper(random.bits())}/`,
      );
    return 'success';
  }

  /** @param {import('./replies.mjs').Reply} reply @param {string} ip */
  const refusal = (reply, ip) =>
    reply.verb === 'RCPT TO'
      ? `${ip}_does_not_like_recipient./Remote_host_said:_`
      : `${ip}_failed_after_I_sent_the_message./Remote_host_said:_`;

  /** @param {Recipient} one */
  function deferralText({ channel, box: { address, mx } }) {
    if (channel === 'local') return 'Temporary_error_on_maildir_delivery._(#4.3.0)/';
    if (random.chance(0.4)) return "Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/";
    const reply = QMAIL_DEFERRALS[random.tailed(QMAIL_DEFERRALS.length)];
    return `${refusal(reply, mx.ip)}${replyText(reply, address)}${reply.verb === 'RCPT TO' ? `/Giving_up_on_${mx.ip}./` : '/'}`;
  }

  /** The same message under another number; which of the two is heard of first is a race. @param {Submission} mail */
  function forward(mail) {
    const qp = fork();
    const remote = random.chance(0.5);
    const target = remote
      ? recipient(people.stranger(), 'remote', drawFate(random))
      : recipient(people.user(), 'local', DELIVERED);
    truth.queueFileMade(mail.message);
    agenda.spawn(queued({ ...mail, qp, uid: UID.alias, recipients: [target] }, false), random.unit() * 0.01);
    return qp;
  }

  /** @param {Submission} mail @param {number} number */
  function bounce(mail, number) {
    if (mail.sender === DOUBLE_BOUNCE_SENDER) {
      log.qmailLine(`triple bounce: discarding bounce/${number}`);
      return;
    }
    const qp = fork();
    log.qmailLine(`bounce msg ${number} qp ${qp}`);
    /** @type {Recipient} */
    let to;
    if (mail.senderBox === null) {
      truth.dsn.double_bounce++;
      to = recipient(postmaster, 'local', drawFate(random, 0.02, 0), false);
    } else {
      truth.failureDsn(mail.message);
      to = mail.senderIsLocal
        ? recipient(mail.senderBox, 'local', DELIVERED)
        : recipient(mail.senderBox, 'remote', drawFate(random, RATES.dsnRefused, RATES.dsnDeferred));
    }
    const sender = mail.senderBox === null ? DOUBLE_BOUNCE_SENDER : '';
    agenda.spawn(
      queued(
        {
          sender,
          senderBox: null,
          senderIsLocal: false,
          qp,
          uid: UID.send,
          recipients: [to],
          message: NO_MESSAGE,
        },
        false,
      ),
      0.001 + random.unit() * 0.02,
    );
  }

  return { connection, bytesPerConnection: 925 };
}
