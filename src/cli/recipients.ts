/**
 * `dsnstat recipients`: which addresses of our domains the log proves valid or invalid.
 *
 * A map from too little evidence refuses mail to people who exist, so none is written without --force, and what a map
 * lacks is said on standard error.
 */
import type { Life } from '../chains/life.ts';
import { Anonymiser } from '../outputs/anonymise.ts';
import { csvFormatter } from '../outputs/csv.ts';
import { counted, grouped, percent } from '../outputs/figures.ts';
import { recipientsCsvRows } from '../outputs/recipients-csv.ts';
import { recipientsJson } from '../outputs/recipients-json.ts';
import { recipientsMap } from '../outputs/recipients-map.ts';
import { Evidence } from '../recipients/evidence.ts';
import { type ListedDomain, type RecipientList, recipientList } from '../recipients/list.ts';
import type { RecipientsOptions } from './arguments.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from './errors.ts';
import { Output } from './output.ts';
import { analyse } from './session.ts';

export async function runRecipients(inputs: readonly string[], options: RecipientsOptions): Promise<number> {
  const evidence = new Evidence(new Set(options.domain), options.delimiter);
  const onChain = (root: Life): void => evidence.chain(root);
  const session = await analyse(inputs, options, { onChain });
  for (const root of session.analysis.pending()) onChain(root);
  const { summary } = session.analysis;
  const list = recipientList(evidence, {
    domains: options.domain,
    from: summary.from,
    to: summary.to,
    complete: session.complete && !session.failed,
    generatedAt: new Date(),
  });
  const status = !session.complete ? EXIT_INTERRUPTED : session.failed ? EXIT_FAILED : EXIT_DONE;
  const { format } = options;
  if (format === 'csv' || format === 'json') {
    const shown = options.anonymise ? new Anonymiser().recipients(list) : list;
    // Not before: a file of last month is worth more than an empty one.
    const output = new Output(options.output);
    output.add(format === 'json' ? recipientsJson(shown) : (await csvFormatter())(recipientsCsvRows(shown)));
    await output.close();
    return status;
  }
  if (!options.force && isTooLittle(list)) return status === EXIT_DONE ? EXIT_FAILED : status;
  const output = new Output(options.output);
  output.add(recipientsMap(list, format));
  await output.close();
  for (const domain of list.domains) warn(domain, list, options.delimiter);
  if (list.refusals_ambiguous > 0)
    complain(
      `${counted(list.refusals_ambiguous, 'refusal')} of addresses with _ prove nothing: qmail logs other characters so, too`,
    );
  return status;
}

function isTooLittle(list: RecipientList): boolean {
  let found = false;
  for (const { domain, too_little: reasons } of list.domains) {
    if (reasons.length === 0) continue;
    found = true;
    complain(
      `${domain}: too little evidence for a map: ${reasons.join(', ')}; give more logs, or --force to write it all the same`,
    );
  }
  return found;
}

/** What a map lacks, one line each. */
function warn(domain: ListedDomain, list: RecipientList, delimiter: string): void {
  const say = (text: string): void => complain(`${domain.domain}: ${text}`);
  const share = domain.missing_share;
  say(
    `valid addresses without mail from ${list.period.from} to ${list.period.to} are missing` +
      (share === null
        ? ''
        : `; about ${percent(domain.seen_once, domain.deliveries)} of the mail to valid addresses goes to one of them (${grouped(domain.seen_once)} of ${grouped(domain.valid)} addresses seen once)`),
  );
  if (domain.refusals === 0 && domain.deliveries > 0)
    say('no refusal in the log: a next hop that takes every recipient proves none valid');
  if (domain.conflicting > 0)
    say(
      `${grouped(domain.conflicting)} both delivered and refused: valid unless refused for a day or longer since (--format csv shows them)`,
    );
  if (domain.unfit.characters > 0)
    say(
      `${grouped(domain.unfit.characters)} valid left out: characters that no map line can carry (--format csv shows them)`,
    );
  if (domain.unfit.temporary > 0)
    say(
      `${grouped(domain.unfit.temporary)} valid left out: made for one message (SRS, BATV); whoever makes them must check them`,
    );
  if (domain.with_plus > 0 && delimiter === '')
    say(
      `${grouped(domain.with_plus)} with a plus sign are listed as they are; if that begins an extension, give --delimiter +`,
    );
}
