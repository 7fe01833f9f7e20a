import type { Config, Route } from '@wrapup/config';
import type { OmissionLine, OmittedCall, Store } from '@wrapup/queue';
import type { ReplayPreview } from '@wrapup/recovery/replay-preview';
import type { Command } from 'commander';
import { addClientOption, listNames, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { expired } from '../../show/explain.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { ago, count, makeOutput, type Output, table } from '../../terminal/output.ts';
import { parseSince } from '../../terminal/parse-options.ts';

interface OmissionsOptions extends GlobalOptions {
  connection?: string;
  since?: number;
  fields?: boolean;
  plan?: boolean;
}

/** `wrapup omissions`: what was left out of calls that were written, and what no call ever brings. */
export function addOmissions(program: Command): void {
  const group = addClientOption(
    program.command('omissions').description('fields that were left out of calls, by line of the mapping and by why'),
  )
    .option('--connection <name>', 'only deliveries to this connection')
    .option('--since <when>', 'counted since: 2h, 3d, or a date; default 7d', parseSince)
    .option('--fields', 'also how often each line of the mappings was filled, in the last 14 days')
    .addHelpText(
      'after',
      '\nCALLS lost the field in that time; STILL lack it. Once what the line names is put right:\n`wrapup omissions replay <id>`. Those whose payload has expired are left alone (`wrapup backfill --call <call id>`).',
    )
    .action(async (_options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<OmissionsOptions>());
      await list(options, makeOutput(options.json ?? false));
    });

  group
    .command('replay')
    .description('deliver the calls again that lack what the line stands for, with the current mapping')
    .argument('<line id>')
    .option('--plan', 'only list them, with what would change in the CRM and what stays since a colleague changed it')
    .addHelpText(
      'after',
      '\nA line keeps its last 1,000 calls; `wrapup replay --route … --since …` takes older ones.\nWith --since only those that lost the field since then.',
    )
    .action(async (id: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<OmissionsOptions>());
      await replay(id, options, makeOutput(options.json ?? false));
    });
}

async function list(options: OmissionsOptions, output: Output): Promise<void> {
  const config = await requireConfig(options, output, true);
  const { readCounters } = await import('@wrapup/mapping');
  await withStore(async (store) => {
    await requireClient(options, store);
    const connections = await connectionsOf(options, config, store);
    const { connection, since } = options;
    const lines = await store.omissions.list({ connections, ...(since === undefined ? {} : { since }) });
    const routes = config.routes.filter(({ to }) => connection === undefined || to === connection);
    const counted = await Promise.all(
      routes.map(async (route) => ({
        route,
        ...readCounters(route.mapping, await store.counters.sums({ connection: route.to, route: route.name })),
      })),
    );
    const never = counted.flatMap(({ route, paths }) =>
      paths.filter((path) => path.never).map(({ never: _, ...path }) => ({ ...placeOf(route), ...path })),
    );
    const fields = options.fields
      ? counted.flatMap(({ route, fields }) => fields.map((field) => ({ ...placeOf(route), ...field })))
      : undefined;
    const { hintOf } = await import('@wrapup/destination');
    const hinted = lines.map((line) => ({ ...line, hint: hintOf(line) }));
    output.data({ lines: hinted, never, ...(fields ? { fields } : {}) });
    await showLines(lines, output);
    if (never.length > 0) {
      output.line();
      output.line('No connected call of the last 14 days brought what these lines read:');
      for (const { path, at, absent, meant, route } of never) {
        const hint = meant === undefined ? '' : `; did you mean ${clean(meant)}, which comes?`;
        output.line(
          `  ${clean(path)} (${clean(at.file)}:${at.line}, route ${clean(route)}): absent in ${count(absent, 'call')}${hint}`,
        );
      }
    }
    if (fields) {
      output.line();
      const rows = fields.map(({ route, record, property, at, filled, absent, lost }) => [
        ...[`${record}.${property}`, filled, absent, lost, route, `${at.file}:${at.line}`],
      ]);
      for (const row of table(['FIELD', 'FILLED', 'ABSENT', 'LEFT OUT', 'ROUTE', 'LINE'], rows)) output.line(row);
    }
  });
}

const placeOf = ({ name, to }: Route) => ({ route: name, connection: to });

/** Those of the configuration, and those that had deliveries. @throws CliError for one that is neither: it lost nothing */
async function connectionsOf(
  { connection, client }: OmissionsOptions,
  config: Config,
  { redis, keys }: Store,
): Promise<string[]> {
  const { clientOf } = await import('@wrapup/call');
  const all = new Set([...Object.keys(config.connections), ...(await redis.smembers(keys.connections))]);
  const names = [...all].filter((name) => client === undefined || clientOf(name) === client);
  if (connection === undefined) return names;
  if (names.includes(connection)) return [connection];
  const { nearest } = await import('@wrapup/findings');
  const near = nearest(connection, names);
  const hint = `${near === undefined ? '' : `did you mean ${near}? `}there are: ${listNames(names)}`;
  throw new CliError(EXIT.usage, `there is no connection ${clean(connection, 80)}`, hint);
}

async function showLines(lines: OmissionLine[], output: Output): Promise<void> {
  const { hintOf, nameOmitted } = await import('@wrapup/destination');
  if (lines.length === 0) return output.line('Nothing was left out.');
  const rows = lines.map((line) => [
    ...[line.id, line.connection, line.calls, `${line.open}${line.more ? '+' : ''}`, ago(line.last)],
    ...[`${nameOmitted(line)} (${line.at.file}:${line.at.line})`],
  ]);
  const [head, ...texts] = table(['ID', 'CONNECTION', 'CALLS', 'STILL', 'LAST', 'FIELD'], rows);
  output.line(head);
  texts.forEach((text, index) => {
    const line = lines[index] as OmissionLine;
    output.line(text);
    output.line(`    ${line.code}: ${clean(line.reason, 300)}`);
    output.line(output.style('dim', `    ${clean(hintOf(line), 500)}`));
    if (line.latest.length > 0) output.line(`    last: ${line.latest.map(({ call_id }) => clean(call_id)).join(', ')}`);
  });
  output.line(count(lines.length, 'line'));
}

async function replay(id: string, options: OmissionsOptions, output: Output): Promise<void> {
  const config = await requireConfig(options, output, true);
  const [{ attemptsOf }, { replayOmitted }, { QUEUED }] = await Promise.all([
    import('@wrapup/config'),
    import('@wrapup/queue'),
    import('../../calls/preview-replays.ts'),
  ]);
  await withStore(async (store) => {
    await requireClient(options, store);
    const line = await store.omissions.find(id, await connectionsOf(options, config, store));
    if (!line) throw new CliError(EXIT.failed, `there is no line ${clean(id, 40)}`, '`wrapup omissions` lists them');
    const { since, plan } = options;
    if (plan) return preview(store, config, await store.omissions.calls(line, since), output);
    const items: (OmittedCall & { replayed: boolean })[] = [];
    const { of, replayed } = await replayOmitted(store, line, {
      attempts: (route) => attemptsOf(config, route),
      ...{ config: config.hash, by: operator(), since },
      onCall: (call, result) => {
        items.push({ ...call, replayed: result === 'replayed' });
        const verdict =
          result === 'moved' ? `${QUEUED}, or ${DROPPED}` : result === 'expired' ? expired(call.call_id) : result;
        output.line(`${clean(call.call_id)} on ${clean(call.route)}: ${verdict}`);
      },
    });
    output.data({ plan: false, line: id, replayed, of, more: line.more, items });
    output.line(`${replayed} of ${count(of, 'delivery', 'deliveries')} replayed`);
    if (line.more)
      output.line(
        `The line keeps its last 1,000 calls. Older ones: wrapup replay --connection ${clean(line.connection)} --since …`,
      );
    if (replayed < of) process.exitCode = EXIT.failed;
  });
}

/** A replay of a line leaves alone what a person gave up. */
const DROPPED = 'was dropped, and stays so';

async function preview(store: Store, config: Config, calls: OmittedCall[], output: Output): Promise<void> {
  const { ReplayPreviews } = await import('../../calls/preview-replays.ts');
  const items: (OmittedCall & { replayed: boolean; preview?: ReplayPreview })[] = [];
  const previews = new ReplayPreviews({ store, config, remark: output.remark });
  for (const call of calls) {
    const item: (typeof items)[number] = { ...call, replayed: false };
    items.push(item);
    const entry = await store.ledger.read(call.source, call.call_id);
    const say = (verdict: string) => output.line(`${clean(call.call_id)} on ${clean(call.route)}: ${verdict}`);
    if (entry?.deliveries.some(({ route, state }) => route === call.route && state === 'dropped')) {
      say(DROPPED);
      continue;
    }
    await previews.add(call, entry, (verdict, one) => {
      if (one) item.preview = one;
      say(verdict);
    });
  }
  await previews.flush();
  output.data({ plan: true, replayed: 0, of: calls.length, items });
  output.line(count(calls.length, 'delivery', 'deliveries'));
}
