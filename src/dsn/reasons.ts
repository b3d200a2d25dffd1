/**
 * Text classes of delivery failures: what a remote or local reply means, in a few words.
 *
 * The text comes first, the status code second: many servers give 5.1.1 or 5.7.1 for anything. Order matters, the
 * first rule that fits wins. Classes are a small closed set, safe as labels.
 */

const RULES: readonly (readonly [RegExp, string])[] = [
  [/loop|too[ _]many[ _]hops|hop[ _]?count/i, 'mail loop'],
  [/queue[ _]too[ _]long|Cannot[ _]send[ _]message|delivery[ _]time[ _]expired/i, 'gave up after retries'],
  [
    /over[ _]?quota|quota[ _]exceeded|mailbox[ _](is[ _])?full|insufficient[ _](disk|storage|space)|storage[ _]exceeded/i,
    'mailbox full',
  ],
  [
    /spam|virus|malware|content[ _](rejected|filter)|message[ _]content|unsolicited|junk|dkim|dmarc/i,
    'content refused',
  ],
  [
    /black[ _-]?list|block[ _-]?list|\brbl\b|dnsbl|spamhaus|reputation|blocked|banned|not[ _]accepting[ _]mail[ _]from/i,
    'client blocked',
  ],
  [
    /\bspf\b|sender[ _](policy|rejected|refused|denied)|null[ _]sender|sender[ _]address[ _]rejected|sender[ _]was[ _]rejected/i,
    'sender refused',
  ],
  [
    /relay(ing)?[ _](access[ _])?(denied|not[ _]permitted|prohibited)|not[ _](permitted|allowed)[ _]to[ _]relay/i,
    'relaying denied',
  ],
  [/message[ _](size|too[ _](big|large))|exceeds[ _](maximum|size)|size[ _]limit/i, 'message too big'],
  [
    /user[ _]unknown|unknown[ _](user|recipient|local)|no[ _]such[ _](user|person|recipient|mailbox)|mailbox[ _](not[ _]found|unavailable|unknown)|no[ _]mailbox|does[ _]not[ _]exist|doesn.t[ _]exist|recipient[ _](not[ _]found|unknown)|invalid[ _](recipient|mailbox|user|address)|no[ _]longer[ _]accepts|not[ _]our[ _]customer|address[ _]unknown|account[ _](that[ _]you|is[ _]disabled|disabled|inactive)/i,
    'user unknown',
  ],
  [
    /host[ _]?(or[ _]domain[ _]name)?[ _]?(not[ _]found|unknown)|couldn.t[ _]find[ _]any[ _]host|nullMX|does[ _]not[ _]accept[ _]mail|name[ _]service[ _]error|domain[ _](not[ _]found|unknown)/i,
    'host unknown',
  ],
  [/connection|timed?[ _-]?out|network|no[ _]route|unreachable/i, 'connection trouble'],
  [/grey[ _-]?list|try[ _](again[ _])?later|temporar/i, 'refused for now'],
  [/access[ _]denied|policy|not[ _](allowed|permitted)|prohibited|refused|denied/i, 'policy'],
];

const BY_STATUS: Readonly<Record<string, string>> = {
  '1.1': 'user unknown',
  '1.2': 'host unknown',
  '1.3': 'bad address',
  '1.10': 'host unknown',
  '2.1': 'mailbox disabled',
  '2.2': 'mailbox full',
  '3.4': 'message too big',
  '4.4': 'host unknown',
  '4.6': 'mail loop',
  '4.7': 'gave up after retries',
  '7.1': 'policy',
};

/** Addresses and hosts in a reply say nothing about why, and `<spam@example.org>` would. */
const NAMES = /<[^<>]*>|\S+@\S+|https?:\S+/g;
/** Every second failure; asked first, the other rules cost 5 us a reply. */
const UNKNOWN_USER = /user[ _]unknown|unknown[ _]user|no[ _]such[ _]user/i;

/** qmail-send's words for a recipient that it gave up [qmail-send.c del_dochan]. */
export function saysGivenUp(reply: string): boolean {
  return reply.includes('not_going_to_try_again');
}

let lastReply: string | null = null;
let lastStatus: string | null = null;
let lastClass = '';

/** A class for a failed recipient; `expired` when the MTA gave up. */
export function reasonClass(reply: string | null, status: string | null, expired: boolean): string {
  if (expired || reply === null) return classOf(reply, status, expired);
  // Asked twice of each failure, by the figures and by the suspects; the rules cost 2 us.
  if (reply !== lastReply || status !== lastStatus) {
    lastClass = classOf(reply, status, expired);
    lastReply = reply;
    lastStatus = status;
  }
  return lastClass;
}

function classOf(reply: string | null, status: string | null, expired: boolean): string {
  if (expired) return 'gave up after retries';
  if (reply !== null) {
    const words = reply.slice(0, 600).replace(NAMES, '');
    if (UNKNOWN_USER.test(words)) return 'user unknown';
    for (const [pattern, name] of RULES) if (pattern.test(words)) return name;
  }
  const detail = status === null ? undefined : BY_STATUS[status.slice(status.indexOf('.') + 1)];
  return detail ?? 'other';
}
