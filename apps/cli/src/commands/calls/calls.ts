import type { CallFilter, DeliveryTiming, LedgerEntry, Store } from '@wrapup/queue';
import { type Command, Option } from 'commander';
import { type CallPlace, findCall } from '../../calls/find-call.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, loadSettings, remarkUnknownNames, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { explainCall, nextStep, type Pauses } from '../../show/explain.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput, table, when } from '../../terminal/output.ts';
import { parseCount, parseSince } from '../../terminal/parse-options.ts';

const STATES = ['queued', 'written', 'skipped', 'parked', 'dead', 'dropped', 'received', 'unrouted'] as const;

/** `wrapup calls list|show`: what became of each call. */
export function addCalls(program: Command): void {
  const calls = program.command('calls').description('what became of each call');

  addClientOption(calls.command('list').description('the latest calls, newest first'))
    .addOption(new Option('--state <state>', 'only calls with a delivery in this state').choices(STATES))
    .option('--source <name>', 'only calls of this source')
    .option('--route <name>', 'only calls on this route')
    .option('--connection <name>', 'only calls for this connection')
    .option('--since <when>', 'only calls received since: 2h, 3d, or a date', parseSince)
    .option('--limit <n>', 'at most so many', parseCount, 50)
    .option('--cursor <text>', 'continue where an earlier page ended')
    .addHelpText(
      'after',
      '\nreceived: no worker has read it yet. unrouted: no route matched it.\nUnder --json each call has its cursor: the last one of a page continues behind it.',
    )
    .action(async (_options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<GlobalOptions & CallFilter & { cursor?: string }>());
      const { json, config: _, cursor: after, ...filter } = options;
      const output = makeOutput(json ?? false);
      const { cursorOf, readCursor } = await import('@wrapup/queue');
      if (after !== undefined && !readCursor(after, 1))
        throw new CliError(EXIT.usage, 'no page has this --cursor', 'take it from the end of the page before');
      const entries = await withStore(async (store) => {
        await requireClient(options, store);
        return store.ledger.list({ ...filter, ...(after ? { after } : {}) });
      });
      output.data(
        await Promise.all(entries.map(async (entry) => ({ ...(await forMachines(entry)), cursor: cursorOf(entry) }))),
      );
      if (entries.length === 0) {
        output.line(after ? 'No more calls.' : 'No calls.');
        return remarkUnknownNames(options, output);
      }
      const rows = entries.map((entry) => [
        when(entry.received_at),
        entry.source,
        entry.call_id,
        entry.outcome ?? '',
        statesOf(entry),
      ]);
      for (const line of table(['RECEIVED', 'SOURCE', 'CALL', 'OUTCOME', 'ROUTES'], rows)) output.line(line);
      const last = entries.at(-1);
      if (last && entries.length === filter.limit) output.line(`older ones: --cursor ${cursorOf(last)}`);
    });

  addClientOption(
    calls.command('show').description('one call: how it came, what was written, why it stopped, and what to do'),
  )
    .argument('<call id>')
    .option('--source <name>', 'when several sources have a call with that id')
    .option('--payload', 'print the latest body instead, as it came: it holds what the caller said')
    .action(async (id: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<GlobalOptions & { source?: string; payload?: boolean }>());
      const { json, payload } = options;
      if (payload) return printPayload(id, options);
      const output = makeOutput(json ?? false);
      const { entry, pauses, timings } = await withStore(async (store) => {
        const found = await findCall(store, id, options);
        const routes = json ? found.deliveries.map(({ route }) => route) : [];
        return { entry: found, pauses: await pausesOf(store, found), timings: await store.timings.read(found, routes) };
      });
      output.data(await forMachines(entry, pauses, timings));
      const agent = entry.agent_id === undefined || json ? undefined : await nameOf(entry, options);
      for (const line of await explainCall(entry, output, pauses, agent)) output.line(line);
    });
}

/** The agent's name, as far as wrapup.yaml can be read and has one. */
async function nameOf({ source, agent_id }: LedgerEntry, options: GlobalOptions): Promise<string | undefined> {
  const { config } = await loadSettings(options);
  const { agentName } = await import('@wrapup/config');
  return config && agentName(config, source, agent_id);
}

/** Connections that its deliveries wait for and that are paused. */
async function pausesOf(store: Store, { deliveries }: LedgerEntry): Promise<Pauses> {
  const { explainPause } = await import('@wrapup/queue');
  const names = new Set(deliveries.filter(({ state }) => state === 'queued').map(({ connection }) => connection));
  const states = await store.connections.readAll(names);
  return new Map(
    states.flatMap((state) => {
      const why = explainPause(state);
      return why ? [[state.connection, why] as const] : [];
    }),
  );
}

async function printPayload(id: string, place: CallPlace): Promise<void> {
  const body = await withStore(async (store) => {
    const entry = await findCall(store, id, place);
    const latest = entry.revisions.at(-1);
    await store.audit.note(operator(), { action: 'read payload', source: entry.source, call_id: entry.call_id });
    return latest && store.payloads.read(entry.source, entry.call_id, latest.hash);
  });
  if (!body)
    throw new CliError(EXIT.failed, 'the body is not kept any more', 'retention: in wrapup.yaml says how long');
  // Bytes from outside must not steer the terminal that they are looked at in.
  const text = clean(body.toString('utf8'), Number.POSITIVE_INFINITY);
  process.stdout.write(process.stdout.isTTY ? `${text}\n` : body);
}

/** What a call is in, in words. */
export function statesOf(entry: LedgerEntry): string {
  if (entry.stopped) return `stopped (${entry.stopped.code})`;
  if (!entry.routed) return 'received';
  if (entry.deliveries.length === 0) return 'no route matched';
  return entry.deliveries
    .map(({ route, state, code }) => `${route}: ${state}${state !== 'written' && code ? ` (${code})` : ''}`)
    .join(', ');
}

/** A ledger entry as JSON: times as ISO 8601, and what to do next spelt out. */
async function forMachines(
  entry: LedgerEntry,
  pauses?: Pauses,
  timings?: ReadonlyMap<string, DeliveryTiming>,
): Promise<object> {
  const { describeTiming, hintOf } = await import('@wrapup/queue');
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...entry,
    received_at: iso(entry.received_at),
    ...(entry.ended_at === undefined ? {} : { ended_at: iso(entry.ended_at) }),
    revisions: entry.revisions.map((revision) => ({ ...revision, at: iso(revision.at) })),
    ...(entry.stopped ? { stopped: { ...entry.stopped, at: iso(entry.stopped.at) } } : {}),
    deliveries: entry.deliveries.map((delivery) => {
      const { state, since, route } = delivery;
      const timing = timings?.get(route);
      return {
        ...delivery,
        since: iso(since),
        ...(state === 'parked' || state === 'dead' ? { hint: hintOf(delivery, state) } : {}),
        next: nextStep(entry, delivery, pauses),
        ...(timing ? { timing: describeTiming(timing) } : {}),
      };
    }),
  };
}
