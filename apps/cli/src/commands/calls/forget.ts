import { clientOf, own, parsePhone } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { Subject } from '@wrapup/destination';
import type { CallRef, ForgottenCall, LedgerEntry, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { sourcesOf } from '../../calls/find-call.ts';
import { findCalls, findLinked, type PersonQuery, readPerson } from '../../calls/find-person.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';
import { makeProgress } from '../../terminal/progress.ts';

interface ForgetOptions extends GlobalOptions {
  source?: string;
  plan?: boolean;
  linked?: boolean;
}

type Item = Omit<ForgottenCall, 'addresses'>;

interface Result {
  by: 'call id' | PersonQuery['by'];
  calls: Item[];
  /** Other calls of the same record in a CRM: not forgotten without `--linked`. */
  linked: { source: string; call_id: string }[];
  /** Entries removed that adapters and ingress remembered of the person, and choices of operators. */
  memories: number;
  /** Whether Redis rewrites its append-only file, which takes what was removed off the disk. */
  rewriting: boolean;
}

/** What holds the person outside of Redis. */
const NOT_REACHED = [
  'records in the CRM (listed above, with links): remove them there',
  'backups of Redis: they hold what they held',
  'logs of proxies in front of ingress, and what the voice platform keeps of the calls',
];

/** `wrapup forget`: what Wrapup keeps of a person, or of one call, is removed. */
export function addForget(program: Command): void {
  addClientOption(
    program.command('forget').description('remove what is kept of a person: everything in Redis that names them'),
  )
    .argument('<phone | email | call id>')
    .option('--source <name>', 'only calls of this source')
    .option('--linked', "also other calls that were written to the same person's record in a CRM")
    .option('--plan', 'only list them')
    .addHelpText(
      'after',
      '\nCalls of a person are found as long as the ledger has them. Deliveries that are not finished are dropped.\nThe ledger keeps the call id, times and states. Records in the CRM are listed, and stay: remove them there.',
    )
    .action(async (given: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<ForgetOptions>());
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output, true);
      const progress = makeProgress(output, 'calls');
      const result = await withStore(async (store) => {
        await requireClient(options, store);
        return forget(store, config, given.trim(), options, (looked, of) => progress.show(looked, of));
      });
      progress.end();
      show(result, options, output);
    });
}

async function forget(
  store: Store,
  config: Config,
  given: string,
  { client, source, plan = false, linked = false }: ForgetOptions,
  onLook: (looked: number, of: number) => void,
): Promise<Result> {
  const { person, entries } = await find(store, config, given, client, onLook);
  const wanted = entries.filter((entry) => source === undefined || entry.source === source);
  const others = person ? await findLinked(store, wanted, client) : [];
  if (linked) wanted.push(...others);
  const result: Result = {
    by: person?.by ?? 'call id',
    calls: [],
    linked: linked ? [] : others.map(({ source, call_id }) => ({ source, call_id })),
    memories: 0,
    rewriting: false,
  };
  if (plan) return { ...result, calls: wanted.map(planned) };

  const { forgetCall } = await import('@wrapup/queue');
  const gone: ForgottenCall[] = [];
  for (const entry of wanted) {
    const forgotten = await forgetCall(store, entry, { by: operator() });
    if (forgotten) gone.push(forgotten);
  }
  result.calls = gone.map(({ addresses, ...item }) => item);
  // Also where no call was found: a caller who was only asked for is remembered without one.
  result.memories = await forgetMemoriesOf(store, { config, client }, person, gone);
  if (gone.length > 0 || result.memories > 0) result.rewriting = await rewrite(store);
  return result;
}

async function find(
  store: Store,
  config: Config,
  given: string,
  client: string | undefined,
  onLook: (looked: number, of: number) => void,
): Promise<{ person?: PersonQuery; entries: LedgerEntry[] }> {
  // Of a client without a file nothing is in the configuration.
  const sources = client === undefined ? Object.keys(config.sources) : await sourcesOf(store, given, client);
  const entries = await store.ledger.find(given, sources);
  if (entries.length > 0) return { entries };
  const countries = Object.values(config.sources).flatMap((source) => source.default_country ?? []);
  const person = readPerson(given, countries);
  if (!person) {
    throw new CliError(EXIT.usage, 'that is no call id in the ledger, no e-mail address and no telephone number');
  }
  return { person, entries: await findCalls(store, person, client, onLook) };
}

function planned({ source, call_id, deliveries, revisions }: LedgerEntry): Item {
  return {
    source,
    call_id,
    payloads: revisions.length,
    dropped: deliveries.filter(({ state }) => ['queued', 'parked', 'dead'].includes(state)).length,
    records: deliveries.flatMap(({ connection, records }) => records.map((record) => ({ ...record, connection }))),
    writing: [],
  };
}

/** What adapters remember of the person, and what ingress remembers of them as a caller. */
async function forgetMemoriesOf(
  store: Store,
  { config, client }: { config: Config; client: string | undefined },
  person: PersonQuery | undefined,
  calls: readonly ForgottenCall[],
): Promise<number> {
  const [{ callerMemory, forgetMemories }, { KINDS }] = await Promise.all([
    import('@wrapup/queue'),
    import('@wrapup/config'),
  ]);
  const phones = calls.flatMap(({ source, addresses }) =>
    addresses.numbers.flatMap((digits) => {
      const country = own(config.sources, source)?.default_country;
      return [parsePhone(`+${digits}`), parsePhone(digits, country)].flatMap((phone) => phone?.e164 ?? []);
    }),
  );
  const keyOf = ({ source, call_id }: CallRef) => `${own(config.sources, source)?.key_prefix ?? source}:${call_id}`;
  const subject: Subject = {
    phones: [...new Set([...(person?.phones ?? []), ...phones])],
    emails: [...new Set([...(person?.emails ?? []), ...calls.flatMap(({ addresses }) => addresses.emails)])],
    calls: calls.map(keyOf),
    records: calls.flatMap(({ records, ...call }) =>
      records.map(({ object, id, name }) => ({
        object,
        id,
        key: name === 'call_log' ? keyOf(call) : `${keyOf(call)}:${name}`,
      })),
    ),
  };
  const names = await Promise.all(Object.values(KINDS).map((kind) => kind.remembers?.(subject) ?? []));
  const connections = new Set(Object.keys(config.connections));
  for (const { records } of calls) for (const { connection } of records) connections.add(connection);
  // Choices outlast both the connection's place in the configuration and the calls.
  const choices = await store.choices.list((name) => client === undefined || clientOf(name) === client);
  for (const { connection } of choices) connections.add(connection);
  const people = calls.flatMap(({ records }) => records.filter(({ name }) => name === 'person'));
  const [memories, chosen] = await Promise.all([
    forgetMemories(store, connections, [...names.flat(), ...subject.phones.map(callerMemory)]),
    store.choices.forget(connections, subject, people),
  ]);
  return memories + chosen;
}

/** Has Redis rewrite its append-only file, so that what was removed leaves the disk. @returns whether it may */
async function rewrite(store: Store): Promise<boolean> {
  const nodes = 'nodes' in store.redis ? store.redis.nodes('master') : [store.redis];
  const answers = await Promise.allSettled(nodes.map((node) => node.bgrewriteaof()));
  return answers.every(({ status }) => status === 'fulfilled');
}

function show({ by, calls, linked, memories, rewriting }: Result, options: ForgetOptions, output: Output): void {
  const plan = options.plan ?? false;
  output.data({ by, plan, calls, linked, memories, rewriting, not_reached: NOT_REACHED });
  for (const { call_id, payloads, dropped, records, writing } of calls) {
    const what = plan
      ? 'would be forgotten'
      : `forgotten: ${count(payloads, 'payload')} removed, ${dropped} queued or waiting dropped`;
    output.line(`${clean(call_id)} ${what}`);
    for (const { object, id, url } of records) {
      output.line(`    stays in the CRM: ${clean(object)} ${clean(id)}${url ? `  ${clean(url)}` : ''}`);
    }
    for (const route of writing) {
      output.line(`    route ${clean(route)} is still being written: forget the call again in a minute`);
    }
  }
  for (const { call_id } of linked) {
    output.line(`${clean(call_id)} stays: written to the same person's record, under another number or address`);
  }
  if (linked.length > 0) output.line('    with --linked they are forgotten, too');
  if (calls.length > 0 && !plan) {
    output.line(`what was remembered of the person for look-ups: ${memories} removed`);
    if (!rewriting)
      output.line('Redis does not rewrite its append-only file now: what was removed stays in it until it does');
    output.line('not reached from here:');
    for (const what of NOT_REACHED) output.line(`    ${what}`);
  }
  output.line(`${count(calls.length, 'call')} ${plan ? 'would be forgotten' : 'forgotten'}`);
  if (calls.length === 0 || calls.some(({ writing }) => writing.length > 0)) process.exitCode = EXIT.failed;
}
