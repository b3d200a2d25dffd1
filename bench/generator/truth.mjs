// Counts what is written, while it is written, from the simulation's own knowledge and from no parser.
// The definitions are those of the contract's section 2.

/** One message as somebody handed it in, through however many queue files it passes. */
export class Message {
  /** Somebody's mail: not a DSN of our own, not null-sender mail. Nothing is counted for the others. */
  incoming;
  attempted = false;
  failed = false;
  failureDsns = 0;
  /** Its own queue files (not its DSNs') that are still there. */
  queueFiles = 0;

  /** @param {boolean} incoming */
  constructor(incoming) {
    this.incoming = incoming;
  }
}

/** What DSNs belong to, as far as counting goes. */
export const NO_MESSAGE = new Message(false);

export class Truth {
  statistics = { incoming: 0, delivered: 0, estimated: 0, actual: 0, suppressed: 0 };
  dsn = { failure: 0, delay: 0, success: 0, postmaster: 0, double_bounce: 0 };
  /** Final recipients of incoming messages, after forwarding; `deferred`: still in the queue at the end. */
  recipients = { delivered: 0, failed: 0, expired: 0, deferred: 0 };
  rejectedRecipients = 0;
  nullSender = 0;
  foreign = 0;
  openMessages = 0;
  #withDsn = 0;
  #withheld = 0;

  /** The acceptance line stands in the log. @param {boolean} nullSender */
  accepted(nullSender) {
    if (nullSender) this.nullSender++;
    else {
      this.statistics.incoming++;
      this.openMessages++;
    }
    return new Message(!nullSender);
  }

  /** @param {Message} message */
  attempted(message) {
    if (!message.incoming || message.attempted) return;
    message.attempted = true;
    this.statistics.delivered++;
  }

  /** @param {Message} message @param {'delivered' | 'failed' | 'expired'} outcome @param {boolean} wasDeferred */
  finished(message, outcome, wasDeferred) {
    if (!message.incoming) return;
    this.recipients[outcome]++;
    if (wasDeferred) this.recipients.deferred--;
    if (outcome === 'delivered' || message.failed) return;
    message.failed = true;
    this.statistics.estimated++;
  }

  /** For the first time. @param {Message} message */
  deferred(message) {
    if (message.incoming) this.recipients.deferred++;
  }

  /** Always after the failure itself. @param {Message} message */
  failureDsn(message) {
    if (!message.incoming) return;
    this.statistics.actual++;
    this.dsn.failure++;
    if (message.failureDsns++ === 0) this.#withDsn++;
  }

  /** @param {Message} message */
  queueFileMade(message) {
    message.queueFiles++;
  }

  /** @param {Message} message */
  queueFileGone(message) {
    if (--message.queueFiles > 0 || !message.incoming) return;
    this.openMessages--;
    if (message.failed && message.failureDsns === 0) this.#withheld++;
  }

  get accounting() {
    const { estimated, suppressed } = this.statistics;
    return {
      with_dsn: this.#withDsn,
      suppressed,
      withheld: this.#withheld,
      open: estimated - this.#withDsn - suppressed - this.#withheld,
    };
  }
}
