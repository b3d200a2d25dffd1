// Lines of other programs in the same file: dovecot and cron.

/** Of all lines. */
const SHARE = 0.02;

/**
 * Called now and then: writes as many foreign lines as are missing.
 * @param {import('./simulation.mjs').Simulation} simulation
 */
export function makeForeign({ log, random, people, truth }) {
  return function foreign() {
    if (!log.takesForeign) return;
    while (truth.foreign < log.lines * SHARE) {
      const user = people.user().address;
      const u = random.unit();
      if (u < 0.5) {
        const { ip } = people.client();
        log.line(
          `dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.1, mpid=${2000 + random.below(30000)}, TLS, session=<${(random.bits() * 65536).toString(36)}>`,
        );
      } else if (u < 0.85) {
        log.line(
          `dovecot: imap(${user})<${2000 + random.below(30000)}>: Disconnected: Logged out in=${random.below(9000)} out=${random.below(900000)}`,
        );
      } else {
        log.line(
          `CRON[${2000 + random.below(30000)}]: (root) CMD (test -x /usr/sbin/queue-check && /usr/sbin/queue-check)`,
        );
      }
      truth.foreign++;
    }
  };
}
