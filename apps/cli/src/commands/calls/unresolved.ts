import { spoken } from '@wrapup/call';
import type { UnresolvedItem, UnresolvedState } from '@wrapup/queue';
import type { Command } from 'commander';
import { type BulkCommand, filterOf, type PlaceOptions, resolveMany } from '../../calls/resolve-many.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { type GlobalOptions, remarkUnknownNames, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { ago, makeOutput, type Output, table } from '../../terminal/output.ts';
import { parseCount, parseSince } from '../../terminal/parse-options.ts';
import { addChoose } from './choices.ts';

const DESCRIPTIONS = {
  parked: 'calls that wait for a person: fix what stopped them, then replay',
  dead: 'calls whose retries are used up: an operator decides',
} as const;

interface ListOptions extends GlobalOptions, PlaceOptions {
  reason?: string;
  limit?: number;
  cursor?: string;
}

/** Items on a page for people. */
const PAGE_SIZE = 50;
/** Milliseconds that counting what a text matches may take. */
const TALLY_MS = 2_000;

function addPlaces(command: Command): Command {
  return addClientOption(command)
    .option('--source <name>', 'only calls of this source')
    .option('--route <name>', 'only deliveries on this route')
    .option('--connection <name>', 'only deliveries to this connection')
    .option('--since <when>', 'only those that stopped then or later: 2h, 3d, or a date', parseSince)
    .option('--until <when>', 'only those that stopped then or before', parseSince);
}

function addReason(command: Command): Command {
  return command.option(
    '--reason <text>',
    'only those whose code contains this; where no code does, whose reason does',
  );
}

/** `wrapup parked|dead list|replay|drop`, and `parked choose`. */
export function addUnresolved(program: Command, state: UnresolvedState): void {
  const group = program.command(state).description(DESCRIPTIONS[state]);
  if (state === 'parked') addChoose(group);

  addReason(addPlaces(group.command('list').description('newest first, page by page')))
    .option('--limit <n>', `at most so many; default ${PAGE_SIZE}, with --json all`, parseCount)
    .option('--cursor <text>', 'continue where an earlier page ended')
    .addHelpText('after', '\nUnder --json each item has its cursor: the last one of a page continues behind it.')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>();
      await list(state, options, makeOutput(options.json ?? false));
    });

  const resolving = (command: Command) =>
    addPlaces(command)
      .argument('[call ids...]')
      .option('--all', 'every one of them')
      .option('--plan', 'only list them')
      .option('--resume [run]', 'continue one that was interrupted; default: the latest')
      .addHelpText('after', '\nTakes what has stopped by now. --resume continues one that was interrupted.');

  addReason(resolving(group.command('replay').description('queue them again, with the current mapping'))).action(
    async (ids: string[], _options, command: Command) => {
      await resolveMany({ state, action: 'replay', ids, options: command.optsWithGlobals<BulkCommand['options']>() });
    },
  );

  resolving(group.command('drop').description('drop them; the reason is kept in the ledger'))
    .option('--code <text>', 'only those whose code contains this; where no code does, whose reason does')
    .option('--reason <text>', 'why; required')
    .action(async (ids: string[], _options, command: Command) => {
      const { reason, code, ...options } = command.optsWithGlobals<BulkCommand['options'] & { code?: string }>();
      const why = reason?.trim();
      if (!why && options.resume === undefined)
        throw new CliError(EXIT.usage, 'dropping needs --reason', 'write why, for whom it concerns later');
      const chosen = { ...options, ...(code === undefined ? {} : { reason: code }) };
      await resolveMany({ state, action: 'drop', ids, options: chosen, ...(why ? { why } : {}) });
    });
}

async function list(state: UnresolvedState, options: ListOptions, output: Output): Promise<void> {
  const { countUnindexed, readCursor } = await import('@wrapup/queue');
  const { limit, cursor: after } = options;
  if (after !== undefined && !readCursor(after, 2))
    throw new CliError(EXIT.usage, 'no page has this --cursor', 'take it from the end of the page before');
  const filter = await filterOf(options);
  await withStore(async (store) => {
    await requireClient(options, store);
    const missing = await countUnindexed(store, state);
    if (missing > 0) output.remark(describeMissing(missing));
    if (output.json && limit === undefined) return output.stream(store.unresolved.all(state, filter, after));
    const within = Number.POSITIVE_INFINITY;
    const [page, { count, exact }] = await Promise.all([
      store.unresolved.page(state, filter, { limit: limit ?? PAGE_SIZE, after, within }),
      output.json ? { count: 0, exact: true } : store.unresolved.countMatches(state, filter, TALLY_MS),
    ]);
    output.data(page.items);
    if (page.items.length === 0) {
      output.line(`Nothing ${after === undefined ? 'is' : 'more is'} ${state}.`);
      return remarkUnknownNames(withFullNames(options), output);
    }
    showItems(page.items, output);
    const whole = `${exact ? '' : 'at least '}${count.toLocaleString('en-US')} ${state}`;
    output.line(page.items.length < count ? `${page.items.length} of ${whole}` : whole);
    if (page.next !== undefined) output.line(`the next: --cursor ${page.next}`);
  });
}

/** A table of them, with why and what to do. */
export function showItems(items: readonly Omit<UnresolvedItem, 'cursor'>[], output: Output): void {
  const rows = items.map(({ call_id, route, code, attempts, since }) => [
    call_id,
    route ?? '-',
    attempts,
    ago(Date.parse(since)),
    spoken(code),
  ]);
  const [head, ...lines] = table(['CALL', 'ROUTE', 'ATTEMPTS', 'SINCE', 'CODE'], rows);
  output.line(head);
  lines.forEach((line, index) => {
    output.line(line);
    const { reason, hint } = items[index] as Omit<UnresolvedItem, 'cursor'>;
    if (reason) output.line(`    ${clean(reason)}`);
    output.line(output.style('dim', `    ${clean(hint)}`));
  });
}

function describeMissing(missing: number): string {
  return `Some ${missing.toLocaleString('en-US')} of an earlier version are not listed yet: a worker is indexing them.`;
}
