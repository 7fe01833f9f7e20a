import { clientOf } from '@wrapup/call';
import type { DeliveryEntry, KeptChoice, LedgerEntry } from '@wrapup/queue';
import type { Command } from 'commander';
import { findCall } from '../../calls/find-call.ts';
import { chooseAlike, configForReplay } from '../../calls/resolve-many.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { expired } from '../../show/explain.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, table, when } from '../../terminal/output.ts';

/** As `NEW_PERSON` of the port. */
const NEW = 'new';

interface ChooseOptions extends GlobalOptions {
  person: string;
  source?: string;
  route?: string;
  remember?: boolean;
  alike?: boolean;
  plan?: boolean;
}

/** `wrapup parked choose`: which of several people a call is about. */
export function addChoose(parked: Command): void {
  addClientOption(
    parked.command('choose').description('say which of several people an ambiguous call is about, and replay it so'),
  )
    .argument('<call id>')
    .requiredOption('--person <id>', 'id of one of the candidates; new where no person was found: one is created')
    .option('--source <name>', 'only calls of this source')
    .option('--route <name>', 'the delivery, where several are ambiguous')
    .option(
      '--remember',
      'also for later calls of the same number or address; `wrapup choices` lists and removes these',
    )
    .option('--alike', 'also for the others that are parked on the route for the same number or address')
    .option('--plan', 'with --alike: only list them')
    .addHelpText(
      'after',
      '\nOnly a candidate can be chosen, and it is written only if it still is one. The ledger keeps who chose.',
    )
    .action(async (id: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<ChooseOptions>());
      const output = makeOutput(options.json ?? false);
      const { remember = false, alike = false, plan = false } = options;
      if (plan && !alike) throw new CliError(EXIT.usage, '--plan lists what --alike would decide', 'add --alike');
      await withStore(async (store) => {
        await requireClient(options, store);
        const entry = await findCall(store, id, options);
        const delivery = ambiguousIn(entry, options.route);
        const { route, connection } = delivery;
        const person = candidateOf(delivery, options.person);
        const config = await configForReplay(options, output);
        if (alike) {
          const place = { source: entry.source, call_id: id, route };
          return chooseAlike(store, place, { person, remember, plan, config }, output);
        }
        const { attemptsOf } = await import('@wrapup/config');
        const choice = { person, by: operator(), remember };
        const how = { attempts: attemptsOf(config, route), config: config?.hash };
        const done = await store.operations.choose(entry.source, id, route, choice, how);
        if (done === 'only_said') {
          const hint = 'leave --remember out: the choice is for this call alone then';
          throw new CliError(
            EXIT.failed,
            'the number or address was only said, so that no later call is chosen by it',
            hint,
          );
        }
        if (done === 'expired') throw new CliError(EXIT.failed, expired(id));
        if (done !== 'replayed')
          throw new CliError(
            EXIT.failed,
            'its state has changed meanwhile, and nothing was done',
            `wrapup calls show ${clean(id)}`,
          );
        output.data({ call_id: id, source: entry.source, route, connection, person, remembered: remember });
        output.line(`${clean(id)} on ${clean(route)} is about ${clean(person)}, and on its way again`);
        if (remember)
          output.line('So are later calls of that number or address on this connection: wrapup choices list');
      });
    });
}

/** @throws CliError where none is ambiguous, or several are */
function ambiguousIn({ call_id, deliveries }: LedgerEntry, route: string | undefined): DeliveryEntry {
  const all = deliveries.filter(
    ({ state, code, candidates }) =>
      state === 'parked' && ((code === 'ambiguous_person' && candidates?.length) || code === 'unmatched_person'),
  );
  const found = all.filter((delivery) => route === undefined || delivery.route === route);
  const id = clean(call_id);
  if (found.length > 1) {
    const names = found.map((delivery) => clean(delivery.route)).join(', ');
    throw new CliError(EXIT.usage, `several deliveries of ${id} are ambiguous: ${names}`, 'name one with --route');
  }
  const [one] = found;
  if (one) return one;
  const where = route === undefined ? '' : ` on route ${clean(route)}`;
  throw new CliError(
    EXIT.failed,
    `${id} is not parked for having several candidates${where}`,
    `wrapup calls show ${id}`,
  );
}

/** The candidate that is meant: Salesforce writes its ids with 15 or 18 characters. @throws CliError for anyone else */
function candidateOf({ code, candidates = [], candidate_urls: urls = {} }: DeliveryEntry, given: string): string {
  const wanted = given.trim();
  if (code === 'unmatched_person') {
    if (wanted === NEW) return wanted;
    throw new CliError(EXIT.usage, `no person was found for it; nothing was done`, `--person ${NEW} creates one`);
  }
  const found = candidates.find(
    (id) => id === wanted || (wanted.length === 15 && id.length === 18 && id.startsWith(wanted)),
  );
  if (found !== undefined) return found;
  const known = candidates.map((id) => (urls[id] ? `${id} (${urls[id]})` : id)).join(', ');
  throw new CliError(
    EXIT.usage,
    `${clean(wanted, 80)} is not a candidate; nothing was done`,
    `the candidates are ${clean(known, 1000)}`,
  );
}

/** `wrapup choices`: what was chosen for later calls. */
export function addChoices(program: Command): void {
  const choices = program
    .command('choices')
    .description('whom operators chose for all calls of a number or address that several people have');

  addClientOption(choices.command('list').description('the latest first'))
    .option('--connection <name>', 'only those on this connection')
    .action(async (_options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<GlobalOptions & { connection?: string }>());
      const output = makeOutput(options.json ?? false);
      const { nameOfChoice } = await import('@wrapup/queue');
      await withStore(async (store) => {
        await requireClient(options, store);
        const found = await store.choices.list(inScope(options));
        output.data(
          found.map((choice) => ({ choice: nameOfChoice(choice), ...choice, at: new Date(choice.at).toISOString() })),
        );
        if (found.length === 0) return output.line('Nothing is chosen for later calls.');
        const rows = found.map((choice) => [
          nameOfChoice(choice),
          choice.connection,
          choice.of,
          choice.person,
          when(choice.at),
          choice.by ?? '',
          choice.call_id,
        ]);
        for (const line of table(['CHOICE', 'CONNECTION', 'BY', 'PERSON', 'SINCE', 'CHOSEN BY', 'FOR CALL'], rows))
          output.line(line);
        output.line('wrapup choices remove <choice> takes one back');
      });
    });

  addClientOption(choices.command('remove').description('take one back: later calls of the number are parked again'))
    .argument('<choice>', 'as `choices list` names it')
    .option('--connection <name>', 'only on this connection')
    .action(async (name: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<GlobalOptions & { connection?: string }>());
      const output = makeOutput(options.json ?? false);
      await withStore(async (store) => {
        await requireClient(options, store);
        const found = (await store.choices.list(inScope(options))).filter(
          ({ digest }) => name.length >= 4 && digest.startsWith(name),
        );
        if (found.length === 0)
          throw new CliError(EXIT.failed, `there is no choice ${clean(name, 80)}`, 'wrapup choices list names them');
        const connections = [...new Set(found.map(({ connection }) => connection))];
        if (found.length > 1)
          throw new CliError(
            EXIT.usage,
            `${count(found.length, 'choice')} begin so, on ${connections.map((one) => clean(one)).join(', ')}`,
            'name one in full, or --connection',
          );
        const [choice] = found as [KeptChoice];
        const removed = await store.choices.remove(choice, operator());
        output.data({ removed, ...choice });
        output.line(
          `Removed: calls of that ${choice.of === 'phone' ? 'number' : 'address'} on ${clean(choice.connection)} are not taken for ${clean(choice.person)} any more.`,
        );
      });
    });
}

function inScope({ client, connection }: { client?: string; connection?: string }): (name: string) => boolean {
  return (name) =>
    (client === undefined || clientOf(name) === client) && (connection === undefined || name === connection);
}
