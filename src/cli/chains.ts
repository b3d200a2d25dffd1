/**
 * `dsnstat chains`: one record per message chain, in the order in which chains end. With a state those that ended since
 * the last run; what is under way is left to the next one.
 */
import type { Chain } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import { chainOf, HEADLESS, MESSAGE, NULL_MESSAGE, natureOf } from '../chains/view.ts';
import { domainOf } from '../dsn/address.ts';
import type { Names } from '../lines/names.ts';
import { Anonymiser } from '../outputs/anonymise.ts';
import { chainCsvHeader, chainCsvRows } from '../outputs/chain-csv.ts';
import { chainNdjson } from '../outputs/chain-ndjson.ts';
import { chainText } from '../outputs/chain-text.ts';
import { csvFormatter } from '../outputs/csv.ts';
import { Inside } from '../suspects/inside.ts';
import { judgeOfRun, Repeats } from '../suspects/repeats.ts';
import type { ChainsOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from './errors.ts';
import { Output } from './output.ts';
import { checkWritable } from './saved-file.ts';
import { analyse } from './session.ts';

export async function runChains(inputs: readonly string[], options: ChainsOptions): Promise<number> {
  const output = new Output(options.output);
  if (options.state !== null) await checkWritable(options.state);
  const print = await printer(options);
  const anonymiser = options.anonymise ? new Anonymiser() : null;
  if (options.format === 'csv') output.add((await csvFormatter())([chainCsvHeader()]));
  let hosts: Names | null = null;
  const repeats = new Repeats();
  const judged = judgeOfRun(new Inside(options.inside), repeats);
  const onChain = (root: Life): void => {
    const nature = natureOf(root);
    if (nature !== MESSAGE && nature !== NULL_MESSAGE && nature !== HEADLESS) return;
    const chain = chainOf(root, (host) => hosts?.text(host) ?? '', judged);
    if (!wanted(chain, options)) return;
    output.add(print(anonymiser === null ? chain : anonymiser.chain(chain)));
  };
  const session = await analyse(inputs, options, {
    onChain,
    onStart: (names) => {
      hosts = names;
    },
    onBlock: () => (output.full ? output.flush() : null),
    state: options.state,
    stateReader: 'chains',
    onRestored: ({ summary }) => repeats.goOn(summary.suspects.clients, summary.suspects.victims),
    beforeSave: () => output.flush(),
  });
  if (options.state === null) {
    for (const root of session.analysis.pending()) {
      onChain(root);
      if (output.full) await output.flush();
    }
  }
  await output.close();
  if (!session.complete) return EXIT_INTERRUPTED;
  return session.failed ? EXIT_FAILED : EXIT_DONE;
}

async function printer(options: ChainsOptions): Promise<(chain: Chain) => string> {
  if (options.format === 'csv') {
    const csv = await csvFormatter();
    return (chain) => csv(chainCsvRows(chain));
  }
  if (options.format === 'text') {
    const style = { color: useColor(options, process.stdout), zone: options.tz };
    return (chain) => chainText(chain, style);
  }
  return chainNdjson;
}

function wanted(chain: Chain, options: ChainsOptions): boolean {
  if (options.withDsn && chain.dsns.length === 0) return false;
  if (options.suspect && chain.suspect === null) return false;
  if (options.failed && !chain.recipients.some((r) => r.outcome === 'failed' || r.outcome === 'expired'))
    return false;
  if (options.queueId.length > 0 && !options.queueId.some((id) => hasId(chain, id))) return false;
  if (options.sender.length > 0 && !options.sender.some((s) => matches(chain.reverse_path, s))) return false;
  if (options.recipient.length === 0) return true;
  return options.recipient.some((wantedAddress) =>
    chain.recipients.some(
      (r) => matches(r.recipient, wantedAddress) || matches(r.original_recipient, wantedAddress),
    ),
  );
}

function hasId(chain: Chain, id: string): boolean {
  return (
    chain.queue_ids.includes(id) || String(chain.qp) === id || chain.dsns.some((dsn) => dsn.queue_id === id)
  );
}

/** A whole address, or `@domain`; domains in lower case, local parts as they are (RFC 5321 section 2.4). */
function matches(address: string | null, pattern: string): boolean {
  if (address === null) return false;
  if (pattern.startsWith('@')) return domainOf(address) === pattern.slice(1).toLowerCase();
  return address === pattern || address.toLowerCase() === pattern.toLowerCase();
}
