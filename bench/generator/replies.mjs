// What other hosts answer when they refuse, once for all three MTAs. Texts are those of the lab's logs.

/**
 * The reply is `before` + address + `after`, or `before` alone where `after` is null. `stat` is sendmail's generic word.
 * @typedef {{ dsn: string, before: string, after: string | null, verb: string, stat: string }} Reply
 */

/** @type {Reply[]} the first ones are the frequent ones (picked with `tailed`) */
export const REFUSALS = [
  {
    dsn: '5.1.1',
    before: '550 5.1.1 <',
    after: '>: Recipient address rejected: User unknown in relay recipient table',
    verb: 'RCPT TO',
    stat: 'User unknown',
  },
  { dsn: '5.1.1', before: '550 5.1.1 <', after: '>... User unknown', verb: 'RCPT TO', stat: 'User unknown' },
  {
    dsn: '5.7.1',
    before: '554 5.7.1 Message rejected as spam',
    after: null,
    verb: 'end of DATA',
    stat: 'Service unavailable',
  },
  {
    dsn: '5.2.1',
    before: '550 5.2.1 <',
    after: '>: mailbox disabled, not accepting messages',
    verb: 'RCPT TO',
    stat: 'User unknown',
  },
  {
    dsn: '5.7.1',
    before: '550 5.7.1 <',
    after: '>: Sender domain listed by policy (see http://example.net/why?a=(b))',
    verb: 'RCPT TO',
    stat: 'User unknown',
  },
];

/** @type {Reply[]} */
export const DEFERRALS = [
  {
    dsn: '4.7.1',
    before: '451 4.7.1 Greylisted, please try again in 300 seconds',
    after: null,
    verb: 'RCPT TO',
    stat: 'Deferred',
  },
  {
    dsn: '4.2.2',
    before: '452 4.2.2 mailbox full (over quota)',
    after: null,
    verb: 'RCPT TO',
    stat: 'Deferred',
  },
  {
    dsn: '4.2.1',
    before: '450 4.2.1 <',
    after: '>: mailbox temporarily disabled',
    verb: 'RCPT TO',
    stat: 'Deferred',
  },
  {
    dsn: '4.3.2',
    before: '421 4.3.2 Service shutting down',
    after: null,
    verb: 'end of DATA',
    stat: 'Deferred',
  },
];

/** @param {Reply} reply @param {string} address */
export const replyText = (reply, address) =>
  reply.after === null ? reply.before : reply.before + address + reply.after;

/** The same in qmail's log: blanks are underscores. @param {Reply[]} replies @returns {Reply[]} */
export const underscored = (replies) =>
  replies.map((reply) => ({
    ...reply,
    before: reply.before.replaceAll(' ', '_'),
    after: reply.after?.replaceAll(' ', '_') ?? null,
  }));
