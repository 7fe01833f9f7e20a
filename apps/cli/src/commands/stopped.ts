import type { Config } from '@wrapup/config';
import type { Stopped, StoppedFilter, StoppedItem, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { clean } from '../clean.ts';
import { CliError, EXIT } from '../exit.ts';
import { ago, makeOutput, type Output, table } from '../output.ts';
import { expired } from '../replayed.ts';
import { type GlobalOptions, loadSettings, requireConfig } from '../settings.ts';
import { parseSince } from '../since.ts';
import { withStore } from '../store.ts';

const WHAT = {
  parked: 'calls that wait for a person: mend what stopped them, then replay',
  dead: 'calls that the system gave up after its retries: an operator decides',
} as const;

type FilterOptions = GlobalOptions & Omit<StoppedFilter, 'ids' | 'until'> & { all?: boolean; plan?: boolean };

function addFilters(command: Command): Command {
  return addPlaces(command).option('--reason <text>', 'only those whose reason or code contains this');
}

function addPlaces(command: Command): Command {
  return command
    .option('--source <name>', 'only calls of this source')
    .option('--route <name>', 'only deliveries on this route')
    .option('--connection <name>', 'only deliveries to this connection')
    .option('--since <when>', 'only those that stopped since: 2h, 3d, or a date', parseSince);
}

/** `wrapup parked|dead list|replay|drop`. */
export function addStopped(program: Command, state: Stopped): void {
  const group = program.command(state).description(WHAT[state]);

  addFilters(group.command('list').description('longest waiting first')).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<FilterOptions>();
    const output = makeOutput(options.json ?? false);
    const { listStopped } = await import('@wrapup/queue');
    const items = await withStore((store) => listStopped(store, state, options));
    output.data(items);
    if (items.length === 0) return output.line(`Nothing is ${state}.`);
    const rows = items.map(({ call_id, route, code, attempts, since }) => [
      call_id,
      route ?? '-',
      attempts,
      ago(Date.parse(since)),
      code,
    ]);
    const [head, ...lines] = table(['CALL', 'ROUTE', 'ATTEMPTS', 'SINCE', 'CODE'], rows);
    output.line(head);
    lines.forEach((line, index) => {
      output.line(line);
      const { reason, hint } = items[index] as StoppedItem;
      if (reason) output.line(`    ${clean(reason)}`);
      output.line(output.style('dim', `    ${clean(hint)}`));
    });
    output.line(`${items.length} ${state}`);
  });

  addFilters(
    group
      .command('replay')
      .description('put them back on their way, with the mapping as it is now')
      .argument('[call ids...]')
      .option('--all', 'every one of them')
      .option('--plan', 'only say which'),
  ).action(async (ids: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<FilterOptions>();
    const output = makeOutput(options.json ?? false);
    const [{ replayStopped }, { attemptsOf }] = await Promise.all([import('@wrapup/queue'), import('@wrapup/config')]);
    await withStore(async (store) => {
      const items = await choose(store, state, ids, options);
      const config = options.plan ? undefined : await configForReplay(options, output);
      const how = { attempts: (route: string) => attemptsOf(config, route), config: config?.hash };
      await work(items, options.plan ?? false, output, 'replayed', (item) => replayStopped(store, state, item, how));
    });
  });

  addPlaces(
    group
      .command('drop')
      .description('give them up; the reason is kept in the ledger')
      .argument('[call ids...]')
      .option('--all', 'every one of them')
      .option('--plan', 'only say which')
      .option('--reason <text>', 'why; required'),
  ).action(async (ids: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<FilterOptions>();
    const output = makeOutput(options.json ?? false);
    const why = options.reason?.trim();
    if (!why) throw new CliError(EXIT.usage, 'dropping needs --reason', 'write why, for whoever asks later');
    const { dropStopped } = await import('@wrapup/queue');
    await withStore(async (store) => {
      const { reason: _, ...filter } = options;
      const items = await choose(store, state, ids, filter);
      await work(items, options.plan ?? false, output, 'dropped', async (item) =>
        (await dropStopped(store, item, why)) ? 'dropped' : 'moved',
      );
    });
  });
}

/**
 * What a replay is to go by. Without any configuration here it goes by what the workers have; with one that has errors it
 * would go by the one before, which is not what somebody who has just mended a mapping wants.
 */
async function configForReplay(options: GlobalOptions, output: Output): Promise<Config | undefined> {
  const { config, findings } = await loadSettings(options);
  if (config || findings.some(({ code }) => code === 'no-config')) return config;
  return requireConfig(options, output);
}

/** The deliveries that were named; naming none is a mistake unless `--all` or a filter says so. */
async function choose(store: Store, state: Stopped, ids: string[], options: FilterOptions): Promise<StoppedItem[]> {
  const { all, source, route, connection, reason, since } = options;
  const filtered = [source, route, connection, reason, since].some((value) => value !== undefined);
  if (ids.length === 0 && !all && !filtered) {
    throw new CliError(EXIT.usage, 'say which: call ids, --all, --route, --connection, --reason or --since');
  }
  const { listStopped } = await import('@wrapup/queue');
  const items = await listStopped(store, state, { ...options, ids });
  const missing = ids.filter((id) => !items.some(({ call_id }) => call_id === id));
  if (missing.length > 0) {
    throw new CliError(
      EXIT.failed,
      `not ${state}: ${missing.map((id) => clean(id, 80)).join(', ')}`,
      'wrapup calls show <call id> says what became of a call',
    );
  }
  return items;
}

async function work<Done extends 'replayed' | 'dropped'>(
  items: StoppedItem[],
  plan: boolean,
  output: Output,
  done: Done,
  act: (item: StoppedItem) => Promise<Done | 'moved' | 'expired'>,
): Promise<void> {
  const results: { source: string; call_id: string; route: string | null; done: boolean }[] = [];
  for (const item of items) {
    const { source, call_id, route } = item;
    const did = plan ? undefined : await act(item);
    results.push({ source, call_id, route, done: did === done });
    const verdict =
      did === undefined
        ? `would be ${done}`
        : did === 'moved'
          ? `could not be ${done}: its state has changed meanwhile`
          : did === 'expired'
            ? `could not be ${done}: ${expired(call_id)}`
            : did;
    output.line(`${clean(call_id)} ${route === null ? '' : `on ${clean(route)} `}${verdict}`);
  }
  const number = results.filter((result) => result.done).length;
  output.data({ plan, [done]: number, of: results.length, items: results });
  output.line(plan ? `${results.length} would be ${done}` : `${number} of ${results.length} ${done}`);
  if (!plan && number < results.length) process.exitCode = EXIT.failed;
}
