import type { Config, DigestSettings } from '@wrapup/config';
import type { CallDigest } from '@wrapup/destination';
import { isTimeZone } from '@wrapup/mapping';
import type { DigestSpan, DigestState, DigestTimes, Store } from '@wrapup/queue';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addClientOption, listNames, nameInFull } from '../../connect/client-option.ts';
import { explainFailure, showFailure, useDestination } from '../../connect/destinations.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { ago, makeOutput, type Output, table } from '../../terminal/output.ts';

interface DigestOptions extends GlobalOptions {
  every?: DigestSpan;
  period?: string;
  timeZone?: string;
}

/** `wrapup digests`: the summaries that are sent, what became of the last one of each, and what one says. */
export function addDigests(program: Command): void {
  const group = addClientOption(
    program.command('digests').description('summaries of a day or a week: what became of the last ones, and the next'),
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<DigestOptions>();
    await list(options, makeOutput(options.json ?? false));
  });
  const period = () =>
    new Option('--period <name>', 'a day such as 2026-11-29, or a week such as 2026-W48; default: the last');

  group
    .command('show')
    .description('print what one says: of a digest of wrapup.yaml, or of what it would be')
    .argument('[digest]', 'default: one of all calls, or of those of --client')
    .addOption(period())
    .addOption(new Option('--every <span>', 'where none is named: of a day or a week').choices(['day', 'week']))
    .option('--time-zone <name>', 'where none is named: by whose clock its days begin; default UTC', parseZone)
    .action(async (name: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<DigestOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const { says } = await compose(config, name && find(config, name, options), options);
      output.data(says);
      for (const line of says.text.split('\n')) output.line(clean(line, 2_000));
    });

  group
    .command('send')
    .description('send one now, as a test: it changes nothing of what is sent when it is due')
    .argument('<digest>')
    .addOption(period())
    .addHelpText('after', '\nExits 1 when it was not taken, 3 when nothing answered.')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<DigestOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      await send(config, find(config, name, options), options, output);
    });
}

function parseZone(name: string): string {
  if (isTimeZone(name)) return name;
  throw new InvalidArgumentError('It must be the IANA name of a time zone: America/New_York, Europe/Berlin.');
}

async function list(options: DigestOptions, output: Output): Promise<void> {
  const config = await requireConfig(options, output, true);
  const { formatTimeOfDay } = await import('@wrapup/config');
  const iso = (at: number) => new Date(at).toISOString();
  const rows = await withStore((store) =>
    Promise.all(
      config.digests.map(async ({ mapping, ...digest }): Promise<DigestRow> => {
        const { next, last } = await store.digests.report(digest);
        return {
          ...{ ...digest, at: formatTimeOfDay(digest.at), mapping: mapping.name, next: iso(next) },
          ...(last && { last: { ...last, at: iso(last.at) } }),
        };
      }),
    ),
  );
  showDigests(rows, output);
}

/** One digest as `--json` and the API have it. */
export interface DigestRow extends Pick<DigestSettings, 'name' | 'to' | 'every' | 'time_zone'> {
  client?: string | null;
  /** `08:00`. */
  at: string;
  mapping: string;
  next: string;
  last?: Omit<DigestState, 'at'> & { at: string };
}

export function showDigests(digests: readonly DigestRow[], output: Output): void {
  output.data(digests);
  if (digests.length === 0) {
    output.line('No digest is configured: `digests:` in wrapup.yaml names a connection of kind http, and when.');
    return;
  }
  const rows = digests.map(({ name, client, to, every, at, time_zone, next, last }) => [
    ...[clean(name), clean(client ?? 'all'), clean(to), every, `${at} ${clean(time_zone)}`, clean(describeLast(last))],
    next.slice(0, 16).replace('T', ' '),
  ]);
  for (const row of table(['DIGEST', 'ABOUT', 'TO', 'EVERY', 'AT', 'LAST', 'NEXT (UTC)'], rows)) output.line(row);
  for (const { name, last } of digests)
    if (last?.reason) output.line(`${clean(name)}: ${clean(last.reason, 300)} [${clean(last.code ?? '')}]`);
  if (digests.some(({ last }) => last?.state === 'failed')) process.exitCode = EXIT.failed;
}

function describeLast(last: DigestRow['last']): string {
  if (!last) return 'none was due yet';
  return `${last.period} ${last.state} ${ago(Date.parse(last.at))}`;
}

function find(config: Config, given: string, options: DigestOptions): DigestSettings {
  const name = nameInFull('digest', given, options.client);
  const digest = config.digests.find((one) => one.name === name);
  if (digest) return digest;
  const names = config.digests.map((one) => one.name);
  throw new CliError(EXIT.usage, `there is no digest ${clean(name, 80)}`, `there are: ${listNames(names)}`);
}

interface Composed {
  says: CallDigest;
  period: string;
}

/** @param digest absent for one that is not configured */
async function compose(
  config: Config,
  digest: DigestSettings | undefined | '',
  options: DigestOptions,
): Promise<Composed> {
  const [queue, { agentName, readDashboardAddress }, { clientOf, localName }] = await Promise.all([
    import('@wrapup/queue'),
    import('@wrapup/config'),
    import('@wrapup/call'),
  ]);
  const now = Date.now();
  const asked = { every: options.every ?? spanOf(options.period), at: 0, time_zone: options.timeZone ?? 'UTC' };
  const times: DigestTimes = digest || asked;
  const period =
    options.period === undefined ? queue.lastPeriod(times, now) : queue.readPeriod(options.period, times, now);
  if (!period)
    throw new CliError(
      EXIT.usage,
      `${clean(options.period ?? '', 40)} is no ${times.every} that is over`,
      `write one such as ${queue.lastPeriod(times, now).name}`,
    );
  const client = digest ? digest.client : options.client;
  const connections = Object.keys(config.connections).filter(
    (name) => client === undefined || clientOf(name) === client,
  );
  const says = await withStore((store: Store) =>
    queue.readDigest(store, {
      ...{ name: digest ? localName(digest.name) : 'digest', period, client, connections, now },
      dashboard: readDashboardAddress(),
      agentName: (source, id) => agentName(config, source, id),
    }),
  );
  return { says, period: period.name };
}

/** What a name stands for where it is not said. */
function spanOf(period: string | undefined): DigestSpan {
  return period !== undefined && /^\d{4}-\d\d-\d\d$/.test(period) ? 'day' : 'week';
}

async function send(config: Config, digest: DigestSettings, options: DigestOptions, output: Output): Promise<void> {
  const [{ planDigest }, { randomUUID }] = await Promise.all([import('@wrapup/destination'), import('node:crypto')]);
  const { says, period } = await compose(config, digest, options);
  const connection = config.connections[digest.to];
  if (!connection) throw new CliError(EXIT.failed, `there is no connection ${clean(digest.to, 80)}`);
  // An id of its own: the one that is sent when it is due is no repeat of it.
  const plan = planDigest(digest.mapping, digest.name, `test-${randomUUID()}`, says);
  try {
    const [outcome] = await useDestination(connection, output.remark, (destination, context) =>
      destination.write([plan], context()),
    );
    if (outcome?.ok === false) throw outcome.failure;
    output.data({ digest: digest.name, period, sent: true });
    output.line(`digest ${clean(digest.name)} of ${period} was sent to ${clean(digest.to)}`);
  } catch (error) {
    const failure = explainFailure(error);
    output.data({ digest: digest.name, period, sent: false, error: failure.error });
    showFailure(failure.error, output);
    process.exitCode = failure.exit;
  }
}
