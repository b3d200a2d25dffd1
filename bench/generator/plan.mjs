// What will become of each recipient, drawn before delivery begins; and how long the queue waits. The same for all MTAs.

/** How often things happen; per recipient of an accepted message unless said otherwise. */
export const RATES = {
  refused: 0.055,
  deferred: 0.075,
  /** Of the deferred ones. */
  neverDelivered: 0.09,
  refusedInTheEnd: 0.04,
  /** Of the failure DSNs' recipients: forged senders make many DSNs undeliverable. */
  dsnRefused: 0.12,
  dsnDeferred: 0.08,
  /** Of messages. */
  successRequested: 0.01,
  neverNotify: 0.03,
  manyRecipients: 0.1,
};

/**
 * `deferrals`: attempts that fail for now before the last one; Infinity stays until the queue gives up.
 * @typedef {{ deferrals: number, refused: boolean }} Fate
 */

/** @type {Fate} */
export const DELIVERED = { deferrals: 0, refused: false };
/** @type {Fate} */
export const REFUSED = { deferrals: 0, refused: true };
const NEVER = { deferrals: Number.POSITIVE_INFINITY, refused: false };

/** @param {import('./random.mjs').Random} random @returns {Fate} */
export function drawFate(random, refused = RATES.refused, deferred = RATES.deferred) {
  const u = random.unit();
  if (u < refused) return REFUSED;
  if (u >= refused + deferred) return DELIVERED;
  const v = random.unit();
  if (v < RATES.neverDelivered) return NEVER;
  return { deferrals: 1 + random.tailed(6), refused: v < RATES.neverDelivered + RATES.refusedInTheEnd };
}

/** Recipients of one message: one mostly. @param {import('./random.mjs').Random} random */
export const drawRecipientCount = (random) =>
  random.chance(RATES.manyRecipients) ? 2 + random.tailed(8) : 1;

/** Bytes: most are small, a few are large. @param {import('./random.mjs').Random} random */
export const drawSize = (random) =>
  Math.round(600 + random.exponential(3000) + (random.chance(0.1) ? random.exponential(400_000) : 0));

const DAY = 86_400;

/**
 * Seconds. The real five days where the log is long enough to see messages expire, in proportion less where not.
 * @param {number} span simulated seconds in the whole file
 */
export function queuePolicy(span) {
  const lifetime = whole(Math.min(5 * DAY, span / 6));
  return {
    lifetime,
    warnAfter: whole(Math.min(4 * 3600, lifetime / 6)),
    minBackoff: Math.min(300, lifetime / 40),
    maxBackoff: Math.min(4000, lifetime / 4),
    /** sendmail -q15m */
    queueInterval: Math.min(900, lifetime / 16),
  };
}
/** @typedef {ReturnType<typeof queuePolicy>} QueuePolicy */

/** To a number of hours or minutes or seconds that one would configure. @param {number} seconds */
function whole(seconds) {
  const unit = seconds >= 3600 ? 3600 : seconds >= 60 ? 60 : 1;
  return Math.max(1, Math.floor(seconds / unit)) * unit;
}
