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
/** So much of a reply is looked at. */
const LONGEST = 600;
/** Every second failure; asked first, the other rules cost 5 us a reply. */
const UNKNOWN_USER = /user[ _]unknown|unknown[ _]user|no[ _]such[ _]user/i;

/** qmail-send's words for a recipient that it gave up [qmail-send.c del_dochan]. */
export function saysGivenUp(reply: string): boolean {
  return reply.includes('not_going_to_try_again');
}

/** A class for a failed recipient; `expired` when the MTA gave up. */
export function reasonClass(reply: string | null, status: string | null, expired: boolean): string {
  if (expired) return 'gave up after retries';
  const said = reply === null ? null : classOfText(withoutHost(reply));
  if (said !== null) return said;
  const detail = status === null ? undefined : BY_STATUS[status.slice(status.indexOf('.') + 1)];
  return detail ?? 'other';
}

/**
 * Postfix: `host h[ip] said: text`, `connect to h[ip]:25: text` [smtp_chat.c, smtp_trouble.c, smtp_connect.c], `... error for
 * name=h type=A: text` [smtp_addr.c]: a host's name, which has no blanks, says nothing about why.
 */
const HOST =
  /^(delivery temporarily suspended: )?(?:host \S+ (?:said|refused to talk to me): |connect to \S+: |(Host or domain name not found\. Name service error for) name=\S+(?= type=))/;

/** A reply without the name of the host that it is about. */
export function withoutHost(reply: string): string {
  return reply.replace(HOST, '$1$2');
}

/** What texts said, by their shape; null for those that say nothing. The rules cost 4 us a reply. */
const SHAPES = new Map<string, string | null>();
/** Shapes that are remembered; a hostile log may have as many as it likes. */
const MOST_SHAPES = 4000;
let lastReply = '';
let lastClass: string | null = null;

function classOfText(reply: string): string | null {
  // Asked twice of each failure, by the figures and by the suspects.
  if (reply === lastReply) return lastClass;
  const shape = shapeOf(reply);
  let found: string | null | undefined;
  if (shape === null) found = classOfWords(wordsOf(reply));
  else {
    found = SHAPES.get(shape);
    if (found === undefined) {
      found = classOfWords(shape);
      if (SHAPES.size >= MOST_SHAPES) SHAPES.clear();
      SHAPES.set(shape, found);
    }
  }
  lastReply = reply;
  lastClass = found;
  return found;
}

/** A reply without names. */
export function wordsOf(reply: string): string {
  return reply.slice(0, LONGEST).replace(NAMES, '');
}

function classOfWords(words: string): string | null {
  if (UNKNOWN_USER.test(words)) return 'user unknown';
  for (const [pattern, name] of RULES) if (pattern.test(words)) return name;
  return null;
}

const SPACE = 0x20;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
/** With room for the rest of a character behind the longest. */
const text = Buffer.alloc(LONGEST + 4);

/**
 * What is left of a reply when NAMES are gone, with every letter in lower case and every digit as 0: no rule tells
 * those apart, and so a few hundred shapes stand for the replies of a whole log. null for a text that is not printable
 * ASCII.
 */
export function shapeOf(reply: string): string | null {
  const end = Math.min(text.write(reply), LONGEST);
  let length = 0;
  // Where the run of characters that are no blanks ends that is at hand, and the last @ in it with something behind.
  let runEnd = 0;
  let lastAt = -1;
  for (let i = 0; i < end; i += 1) {
    const c = text[i];
    if (c === LESS) {
      const close = closing(i + 1, end);
      if (close > 0) {
        i = close;
        continue;
      }
      if (close < 0) return null;
    } else if (c === SPACE) {
      text[length++] = SPACE;
      continue;
    }
    if (i >= runEnd) {
      lastAt = -1;
      for (runEnd = i; runEnd < end; runEnd += 1) {
        const d = text[runEnd];
        if (d === SPACE) break;
        if (d < SPACE || d > 0x7e) return null;
        if (d === AT && runEnd + 1 < end && text[runEnd + 1] !== SPACE) lastAt = runEnd;
      }
    }
    // `\S+@\S+` from here, or `https?:\S+`.
    if (lastAt > i || (c === 0x68 && isUrl(i, runEnd))) i = runEnd - 1;
    else text[length++] = c >= 0x41 && c <= 0x5a ? c | 0x20 : c >= 0x30 && c <= 0x39 ? 0x30 : c;
  }
  return text.toString('latin1', 0, length);
}

/** Where the bracket closes that was opened before `from`; 0 where it does not, -1 at what is no printable ASCII. */
function closing(from: number, end: number): number {
  for (let i = from; i < end; i += 1) {
    const c = text[i];
    if (c === GREATER) return i;
    if (c === LESS) return 0;
    if (c < SPACE || c > 0x7e) return -1;
  }
  return 0;
}

/** `http:` or `https:` with something behind it. */
function isUrl(at: number, end: number): boolean {
  const colon = at + (text[at + 4] === 0x73 ? 5 : 4);
  return (
    colon + 1 < end &&
    text[colon] === 0x3a &&
    text[at + 1] === 0x74 &&
    text[at + 2] === 0x74 &&
    text[at + 3] === 0x70
  );
}
