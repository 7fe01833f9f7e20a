import { clientOf, own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { ConnectionReport, ConnectionState, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { addClientOption, listNames, nameInFull } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput, type Output, table, when } from '../../terminal/output.ts';

/** How long `resume` waits for the probe of a pause that the circuit owns, in ms. */
const PROBE_WITHIN_MS = 15_000;
/** Characters of a reason. */
const MAX_REASON_LENGTH = 300;

/** `wrapup connections list|pause|resume`: the CRM accounts, what waits for each, and who stopped one. */
export function addConnections(program: Command): void {
  const connections = program.command('connections').description('CRM accounts, what waits for each, and pauses');

  addClientOption(
    connections
      .command('list')
      .description('all of them, removed ones with calls left included; paused ones with the reason'),
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const output = makeOutput(options.json ?? false);
    const config = await requireConfig(options, output, true);
    const rows = await withStore(async (store) => {
      await requireClient(options, store);
      const removed = (await store.queues.connections()).filter(
        (name) => options.client === undefined || clientOf(name) === options.client,
      );
      const names = new Set([...Object.keys(config.connections), ...removed]);
      const reports = await Promise.all([...names].map((name) => store.connections.report(name)));
      return reports.map((report) => describe(report, config));
    });
    output.data(rows);
    const head = ['CONNECTION', 'KIND', 'STATE', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED', 'DAILY QUOTA', 'ROUTES'];
    const cells = rows.map((row) => [
      row.connection,
      row.kind ?? '-',
      row.state,
      row.waiting,
      row.active,
      row.delayed,
      row.failed,
      quotaOf(row),
      row.routes.join(', '),
    ]);
    const { describeCause } = await import('@wrapup/queue');
    const [first, ...lines] = table(head, cells);
    output.line(first);
    lines.forEach((line, index) => {
      output.line(line);
      for (const said of explain(rows[index] as Row, describeCause)) output.line(output.style('dim', `    ${said}`));
    });
  });

  addClientOption(
    connections.command('pause').description('pause writing to it until it is resumed; its calls are kept'),
  )
    .argument('<connection>')
    .option('--reason <text>', 'why; shown beside the pause. No names, numbers or addresses')
    .action(async (given: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { reason?: string }>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output, true);
      const name = nameInFull('connection', given, options.client);
      await withStore(async (store) => {
        await requireConnection(store, config, name);
        const reason = await tidy(options.reason);
        await store.connections.pause(name, reason, operator());
        const row = describe(await store.connections.report(name), config);
        output.data(row);
        output.line(`${name} is paused. What is under way is still written; ${waits(row)}.`);
      });
    });

  addClientOption(
    connections.command('resume').description('end the pause of an operator; a pause of the circuit is probed at once'),
  )
    .argument('<connection>')
    .action(async (given: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output, true);
      const name = nameInFull('connection', given, options.client);
      await withStore(async (store) => {
        await requireConnection(store, config, name);
        const state = await store.connections.resume(name, operator());
        if (state.circuit === 'open') output.remark(`${name} stopped itself; it is being probed…`);
        const after = state.circuit === 'open' ? await waitForProbe(store, state) : state;
        const row = describe(await store.connections.report(name), config);
        output.data(row);
        const { describeCause } = await import('@wrapup/queue');
        reportResumed(row, after, output, describeCause);
      });
    });
}

type DescribeCause = (pause: NonNullable<ConnectionState['pause']>) => string;

interface Row extends ConnectionReport {
  kind: string | null;
  state: 'running' | 'paused' | 'unconfigured';
  /** Who paused it. */
  owner: 'circuit' | 'operator' | 'circuit and operator' | null;
  routes: string[];
}

function describe(report: ConnectionReport, config: Config): Row {
  const { connection: name, circuit, operator } = report;
  const connection = own(config.connections, name);
  const owners = [circuit === 'open' && 'circuit', operator && 'operator'].filter(Boolean).join(' and ');
  return {
    ...report,
    kind: connection?.kind ?? null,
    state: connection ? (owners ? 'paused' : 'running') : 'unconfigured',
    owner: (owners || null) as Row['owner'],
    routes: config.routes.filter(({ to }) => to === name).map((route) => route.name),
  };
}

function quotaOf({ daily }: Row): string {
  if (!daily) return '-';
  const left = `${partOf(daily.remaining, daily.limit)} % left`;
  return daily.used_up_at === undefined ? left : `${left}, used up at ${when(daily.used_up_at).slice(11, 16)} UTC`;
}

/** In per cent, cut and never rounded up; near the ends by hundredths, where a whole number would say too much or nothing. */
function partOf(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  const near = (percent > 99 && percent < 100) || (percent > 0 && percent < 1);
  return near ? (Math.floor(percent * 100) / 100).toFixed(2) : String(Math.floor(percent));
}

function* explain(row: Row, describeCause: DescribeCause): Generator<string> {
  const { circuit, pause, operator, resumed, connection } = row;
  if (pause && circuit === 'open') {
    yield `stopped itself since ${when(pause.since)}: ${clean(describeCause(pause), 1000)}`;
    if (pause.hint) yield clean(pause.hint);
    yield `probed again at ${when(pause.next_probe)}, and resumes by itself; at once: wrapup connections resume ${connection}`;
  } else if (pause) yield 'answers again, and is watched for a minute';
  if (operator) {
    const why = operator.reason ? `: ${clean(operator.reason)}` : '';
    yield `paused by ${clean(operator.by ?? 'an operator')} since ${when(operator.since)}${why}; wrapup connections resume ${connection}`;
  } else if (resumed) yield `last resumed by ${clean(resumed.by)} ${when(resumed.at)}`;
}

/** Returns the state once the probe has ended, or when time is up. */
async function waitForProbe(store: Store, before: ConnectionState): Promise<ConnectionState> {
  const until = Date.now() + PROBE_WITHIN_MS;
  for (;;) {
    const state = await store.connections.read(before.connection);
    if (state.circuit !== 'open' || state.pause?.tries !== before.pause?.tries || Date.now() > until) return state;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function waits({ waiting, delayed }: Row): string {
  return waiting + delayed === 1 ? '1 delivery waits' : `${waiting + delayed} deliveries wait`;
}

function reportResumed(row: Row, state: ConnectionState, output: Output, describeCause: DescribeCause): void {
  if (state.circuit !== 'open') {
    output.line(`${row.connection} is resumed: ${waits(row)}.`);
    return;
  }
  const why = state.pause ? clean(describeCause(state.pause), 1000) : '';
  output.line(`${row.connection} is still paused, by itself: ${why}`);
  if (state.pause?.hint) output.line(`    ${clean(state.pause.hint)}`);
  output.line(`    It is probed again at ${when(state.pause?.next_probe ?? Date.now())}.`);
  process.exitCode = EXIT.failed;
}

async function requireConnection(store: Store, config: Config, name: string): Promise<void> {
  const names = [...Object.keys(config.connections), ...(await store.queues.connections())];
  if (names.includes(name)) return;
  throw new CliError(EXIT.failed, `there is no connection ${clean(name, 80)}`, `there are: ${listNames(names)}`);
}

async function tidy(reason: string | undefined): Promise<string | undefined> {
  const { scrub } = await import('@wrapup/destination');
  return reason?.trim() ? scrub(reason.trim(), MAX_REASON_LENGTH) : undefined;
}
