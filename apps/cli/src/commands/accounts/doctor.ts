import { writeFile } from 'node:fs/promises';
import type { Config, Connection } from '@wrapup/config';
import type { ExchangeRecorder } from '@wrapup/destination/recorder';
import type { Finding } from '@wrapup/findings';
import type { DataVersion, EncryptionAudit } from '@wrapup/queue';
import type { Command } from 'commander';
import { addClientOption, nameInFull } from '../../connect/client-option.ts';
import {
  type ConnectionError,
  chooseConnections,
  explainFailure,
  showFailure,
  useDestination,
} from '../../connect/destinations.ts';
import { noteSchemaChecks } from '../../connect/note-schema-checks.ts';
import { describeFindings, type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { describeEncryption } from '../../show/describe-encryption.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../../terminal/exit.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';
import { parseTime } from '../../terminal/parse-options.ts';
import { checkSource } from './doctor-source.ts';

interface ConnectionCheck {
  connection: string;
  kind: string;
  account?: string;
  notes: string[];
  findings: Finding[];
  error?: ConnectionError;
}

/** `wrapup doctor`: whether everything outside works as the configuration expects. Writes nothing to a CRM. */
export function addDoctor(program: Command): void {
  addClientOption(
    program
      .command('doctor')
      .description(
        'ask the CRM and Redis: credentials, scopes, fields that the mappings need, settings that lose calls',
      ),
  )
    .argument('[connection]', 'default: all, and Redis')
    .option('--no-redis', 'leave Redis out')
    .option(
      '--source <name>',
      'instead: where the agents of a Synthflow workspace point, and how its webhooks were answered',
    )
    .option('--record <file>', 'also write down what the CRM answered, without what belongs to people')
    .option('--look-back <time>', 'with --source: how far back webhooks are counted', parseTime, 7 * 24 * 3600_000)
    .action(async (given: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & { redis: boolean; source?: string; lookBack: number; record?: string }
      >();
      const name = given && nameInFull('connection', given, options.client);
      const source = options.source && nameInFull('source', options.source, options.client);
      if (source !== undefined) {
        if (name !== undefined) throw new CliError(EXIT.usage, 'name a connection or a source, not both');
        return checkSource({ ...options, source });
      }
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      let worst: ExitCode = EXIT.ok;
      const connections: ConnectionCheck[] = [];
      const lines: string[] = [];
      for (const connection of chooseConnections(config, name)) {
        const recorder = await makeRecorder(connection);
        const { result, exit } = await checkConnection(connection, config, recorder);
        lines.push(...recorder.lines());
        connections.push(result);
        worst = Math.max(worst, exit) as ExitCode;
        await show(result, output);
      }
      if (options.record !== undefined) await writeRecording(options.record, lines, output);
      const { client } = options;
      const redis = options.redis && name === undefined ? await checkRedisSettings(client) : undefined;
      if (redis) {
        const verdict = redis.ok
          ? output.style(redis.problems.length ? 'yellow' : 'green', 'answers')
          : output.style('red', 'no');
        output.line(`${output.style('bold', 'Redis')}: ${verdict}`);
        for (const problem of redis.problems) output.line(`  ${clean(problem)}`);
        if (!redis.ok) worst = Math.max(worst, EXIT.unreachable) as ExitCode;
        if (redis.data) output.line(describeData(redis.data, output));
        if (redis.encryption) {
          for (const line of describeEncryption(redis.encryption, output, client)) output.line(line);
          const uses = [redis.encryption, ...Object.values(redis.encryption.clients)];
          if (uses.some(({ missing }) => missing.length > 0)) worst = Math.max(worst, EXIT.failed) as ExitCode;
        }
      }
      const compared = connections.filter(({ error }) => error === undefined);
      // A Redis that could not be asked just now is not waited for again.
      const isReached = redis === undefined || redis.encryption !== undefined;
      if (options.redis && isReached)
        await noteSchemaChecks(
          compared.map(({ connection, findings }) => ({ connection, findings })),
          options,
        );
      output.data({ ok: worst === EXIT.ok, connections, ...(redis ? { redis } : {}) });
      process.exitCode = worst;
    });
}

async function checkConnection(
  connection: Connection,
  config: Config,
  { observe }: ExchangeRecorder,
): Promise<{ result: ConnectionCheck; exit: ExitCode }> {
  const { name, kind } = connection;
  const result: ConnectionCheck = { connection: name, kind, notes: [], findings: [] };
  const note = (line: string) => result.notes.push(line);
  const { examineConnection, mappingsOf } = await import('@wrapup/config');
  try {
    await useDestination(connection, note, async (destination, context) => {
      const asked = () => ({ ...context(), observe });
      const { findings } = await examineConnection(
        destination,
        asked,
        mappingsOf(config, name),
        ({ account, notes }) => {
          result.account = account;
          notes.forEach(note);
        },
      );
      result.findings = findings;
    });
  } catch (error) {
    const failure = explainFailure(error);
    return { result: { ...result, error: failure.error }, exit: failure.exit };
  }
  const failed = result.findings.some(({ severity }) => severity === 'error');
  return { result, exit: failed ? EXIT.failed : EXIT.ok };
}

async function makeRecorder({ kind }: Connection): Promise<ExchangeRecorder> {
  const { ExchangeRecorder: Recorder } = await import('@wrapup/destination/recorder');
  return new Recorder(kind);
}

/** @throws CliError when the file cannot be written */
async function writeRecording(file: string, lines: string[], output: Output): Promise<void> {
  try {
    await writeFile(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be written: ${(error as Error).message}`, 'Name another file.');
  }
  output.line(
    `${count(lines.length, 'exchange')} in ${clean(file)}, without tokens and without what belongs to people: read it before you send it.`,
  );
}

async function show(result: ConnectionCheck, output: Output): Promise<void> {
  const account = result.account === undefined ? '' : `, account ${clean(result.account)}`;
  output.line(`${output.style('bold', result.connection)} (${result.kind}${account})`);
  for (const note of result.notes) output.line(`  ${clean(note, 1000)}`);
  for (const line of await describeFindings(result.findings, output)) output.line(`  ${line}`);
  if (result.error) {
    showFailure(result.error, output);
  } else if (result.findings.length === 0) {
    output.line(`  ${output.style('green', 'ok')}`);
  } else {
    output.line(`  ${count(result.findings.length, 'finding')}`);
  }
}

/** Which releases may be started on this Redis. */
function describeData({ oldest, needs, needs_release }: DataVersion, output: Output): string {
  const versions = oldest < needs ? `versions ${oldest} to ${needs}` : `version ${oldest}`;
  return `${output.style('bold', 'Data')}: ${versions}; releases that read version ${needs}, as ${clean(needs_release)} does, may be started on it`;
}

async function checkRedisSettings(
  client: string | undefined,
): Promise<{ ok: boolean; problems: string[]; data?: DataVersion; encryption?: EncryptionAudit }> {
  try {
    return await withStore(
      async (store) => {
        const { redis, keys } = store;
        const { adviseRedis, auditEncryption, checkInstallation, checkRedis } = await import('@wrapup/queue');
        const { ok, problems } = await checkRedis(redis, keys);
        const data = await checkInstallation(store).catch((error: Error & { hint?: string }) => error);
        const fits = !(data instanceof Error);
        if (!fits) problems.push(data.message, ...(data.hint ? [data.hint] : []));
        problems.push(...(await adviseRedis(redis)));
        const encryption = await auditEncryption(store, client);
        return { ok: ok && fits, problems, ...(fits && { data }), encryption };
      },
      { anyKeys: true },
    );
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { ok: false, problems: [error.message, ...(error.hint ? [error.hint] : [])] };
  }
}
