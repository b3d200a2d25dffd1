/**
 * `--anonymise`: stand-ins for addresses, hosts and networks, so that a report or a chain can be shown to others.
 *
 * The same thing gets the same stand-in within a run, numbered by first sight; nothing of the real one is left. The
 * stand-ins are reserved names and networks (RFC 2606, RFC 5737, RFC 2544, RFC 3849). Status codes, times, sizes and
 * the words of replies stay; whatever looks like an address, a host or a message id in them does not.
 */
import type { Chain } from '../chains/chain.ts';
import type { ExplainedOriginal, Explanation } from '../explain/explanation.ts';
import type { RecipientList } from '../recipients/list.ts';
import type { Report } from '../summary/report.ts';
import type { Trace, TraceEvent, TraceRefusals } from '../trace/trace.ts';

/** Addresses, IPs and host names in running text; qmail's `_` and brackets end them. */
const NAMED =
  /[^\s<>()[\],;:"'/\\]+@[A-Za-z0-9._-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]*\b|\b(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b/gi;

export class Anonymiser {
  readonly #users = new Map<string, string>();
  readonly #domains = new Map<string, string>();
  readonly #networks = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  address(address: string | null): string | null {
    if (address === null || address === '') return address;
    const at = address.lastIndexOf('@');
    if (at < 0) return this.#user(address);
    return `${this.#user(address.slice(0, at))}@${this.domain(address.slice(at + 1))}`;
  }

  domain(domain: string): string {
    return numbered(this.#domains, domain.toLowerCase(), (n) => `domain${n}.example`);
  }

  ip(ip: string): string {
    return numbered(this.#networks, ip.toLowerCase(), (n) =>
      ip.includes(':')
        ? `2001:db8::${n.toString(16)}`
        : `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`,
    );
  }

  messageId(id: string | null): string | null {
    return id === null ? null : numbered(this.#ids, id, (n) => `<message${n}@domain.example>`);
  }

  /** A reply, a relay, a reason: everything in it that names somebody. */
  text(text: string): string {
    return text.replace(NAMED, (found) => {
      if (found.includes('@')) return this.address(found) as string;
      if (/^\d{1,3}(\.\d{1,3}){3}$/.test(found) || found.includes(':')) return this.ip(found);
      return this.domain(found);
    });
  }

  chain(chain: Chain): Chain {
    const text = (value: string | null): string | null => (value === null ? null : this.text(value));
    return {
      ...chain,
      host: this.#host(chain.host),
      message_id: this.messageId(chain.message_id),
      reverse_path: this.address(chain.reverse_path),
      origin: {
        kind: chain.origin.kind,
        client_ip: chain.origin.client_ip === null ? null : this.ip(chain.origin.client_ip),
        client_name: this.#host(chain.origin.client_name),
        auth_user: this.address(chain.origin.auth_user),
      },
      recipients: chain.recipients.map((r) => ({
        ...r,
        recipient: this.address(r.recipient),
        original_recipient: this.address(r.original_recipient),
        relay: text(r.relay),
        reply: text(r.reply),
      })),
      dsns: chain.dsns.map((d) => ({ ...d, recipient: this.address(d.recipient), reason: text(d.reason) })),
    };
  }

  /** Raw lines are left out: what names somebody in them cannot be told. */
  trace(trace: Trace): Trace {
    return {
      ...trace,
      what: this.#what(trace.what),
      chain: this.chain(trace.chain),
      lives: trace.lives.map((life) => ({
        ...life,
        host: this.#host(life.host),
        events: life.events.map((event) => this.#event(event)),
        gaps: life.gaps.map((gap) => ({ ...gap, text: this.text(gap.text) })),
      })),
    };
  }

  refusals(refusals: TraceRefusals): TraceRefusals {
    return {
      ...refusals,
      what: this.#what(refusals.what),
      last: refusals.last.map(({ at, host, text }) => ({
        at,
        host: this.#host(host),
        text: this.text(text),
      })),
    };
  }

  recipients(list: RecipientList): RecipientList {
    const text = (value: string | null): string | null => (value === null ? null : this.text(value));
    return {
      ...list,
      domains: list.domains.map((d) => ({ ...d, domain: this.domain(d.domain) })),
      recipients: list.recipients.map((r) => ({
        ...r,
        address: this.address(r.address) as string,
        domain: this.domain(r.domain),
        relay: text(r.relay),
        reply: text(r.reply),
      })),
    };
  }

  #what(what: string): string {
    const bare = what.replace(/^<(.*)>$/, '$1');
    return bare.includes('@') ? (this.address(bare) as string) : what;
  }

  #event({ lines: _, ...event }: TraceEvent): TraceEvent {
    const changed: Record<string, unknown> = { ...event };
    for (const [key, value] of Object.entries(event)) {
      if (typeof value !== 'string') continue;
      switch (key) {
        case 'client_ip':
          changed[key] = this.ip(value);
          break;
        case 'client_name':
          changed[key] = this.domain(value);
          break;
        case 'message_id':
          changed[key] = this.messageId(value);
          break;
        case 'auth_user':
        case 'reverse_path':
        case 'recipient':
        case 'original_recipient':
          changed[key] = this.address(value);
          break;
        case 'relay':
        case 'reply':
        case 'reason':
        case 'text':
          changed[key] = this.text(value);
          break;
        default:
      }
    }
    return changed as unknown as TraceEvent;
  }

  explanation(explanation: Explanation): Explanation {
    const { source, mail, reporter, original, log } = explanation;
    const text = (value: string | null): string | null => (value === null ? null : this.text(value));
    return {
      ...explanation,
      // A path can name a mailbox's owner.
      source: { ...source, path: 'mail' },
      mail: {
        ...mail,
        message_id: this.messageId(mail.message_id),
        return_path: this.address(mail.return_path),
        from: text(mail.from),
        to: text(mail.to),
        subject: text(mail.subject),
      },
      reporter: reporter === null ? null : { ...reporter, host: this.#host(reporter.host) },
      recipients: explanation.recipients.map((r) => ({
        ...r,
        recipient: this.address(r.recipient),
        original_recipient: this.address(r.original_recipient),
        remote_mta: text(r.remote_mta),
        diagnostic: text(r.diagnostic),
      })),
      original: original === null ? null : this.#original(original),
      log:
        log === null
          ? null
          : {
              ...log,
              hosts: log.hosts.map((host) => this.domain(host)),
              matches: log.matches.map((match) => ({ ...match, chain: this.chain(match.chain) })),
            },
    };
  }

  /** What the sender wrote is nobody's business: the subject goes, and the display name with it. */
  #original(original: ExplainedOriginal): ExplainedOriginal {
    return {
      ...original,
      message_id: this.messageId(original.message_id),
      reverse_path: this.address(original.reverse_path),
      client_name: this.#host(original.client_name),
      client_ip: original.client_ip === null ? null : this.ip(original.client_ip),
      from: null,
      subject: null,
      hops: original.hops.map((hop) => ({
        ...hop,
        by: this.#host(hop.by),
        from: this.#host(hop.from),
        ip: hop.ip === null ? null : this.ip(hop.ip),
      })),
      original: original.original === null ? null : this.#original(original.original),
    };
  }

  #host(host: string | null): string | null {
    return host === null ? null : this.domain(host);
  }

  #user(local: string): string {
    return numbered(this.#users, local, (n) => `user${n}`);
  }
}

function numbered(known: Map<string, string>, key: string, make: (n: number) => string): string {
  let standIn = known.get(key);
  if (standIn === undefined) {
    standIn = make(known.size + 1);
    known.set(key, standIn);
  }
  return standIn;
}

export function anonymiseReport(report: Report): Report {
  const anonymiser = new Anonymiser();
  return {
    ...report,
    tables: report.tables.map((table) => ({
      ...table,
      rows: table.rows.map((row) => ({ ...row, key: anonymiser.text(row.key) })),
    })),
    findings: report.findings.map((finding) => ({
      ...finding,
      text: anonymiser.text(finding.text),
      concerns: finding.concerns.map(({ key, count }) => ({ key: anonymiser.text(key), count })),
      remedies: finding.remedies.map((remedy) => ({
        ...remedy,
        text: anonymiser.text(remedy.text),
        lines: remedy.lines.map((line) => anonymiser.text(line)),
      })),
    })),
  };
}
