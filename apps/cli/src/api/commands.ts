/**
 * What commands do with `--api`: the same options and the same text, asked of a dashboard instead of Redis. A command that is not
 * here says so.
 */
import type { AuditEntry, PauseCause, UnresolvedItem } from '@wrapup/queue';
import type { Command } from 'commander';
import type { DigestRow } from '../commands/calls/digests.ts';
import type { GlobalOptions } from '../connect/settings.ts';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { count, makeOutput, type Output, table, when } from '../terminal/output.ts';
import { makeProgress } from '../terminal/progress.ts';
import { ApiClient } from './client.ts';
import { type ApiCall, entryOf } from './entry.ts';

interface ApiOptions extends GlobalOptions {
  api: string;
  state?: string;
  source?: string;
  route?: string;
  connection?: string;
  reason?: string;
  code?: string;
  /** Epoch ms. */
  since?: number;
  until?: number;
  limit?: number;
  cursor?: string;
  all?: boolean;
  plan?: boolean;
  resume?: string | true;
  payload?: boolean;
  fields?: boolean;
  by?: string;
  action?: string;
  call?: string;
  person?: string;
  remember?: boolean;
  alike?: boolean;
}

interface Asked {
  api: ApiClient;
  options: ApiOptions;
  output: Output;
  args: string[];
}

type Answer = (asked: Asked) => Promise<void>;
type State = 'parked' | 'dead';
type Item = Omit<UnresolvedItem, 'cursor'>;

interface Run {
  id: string;
  of: number;
  done: number;
  ended?: string;
}

interface ConnectionRow {
  connection: string;
  kind: string | null;
  circuit: string;
  pause?: { cause: PauseCause; reason: string; hint?: string; next_probe: string };
  operator?: { reason?: string; by?: string; since: string };
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  routes: string[];
}

const iso = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());

const listCalls: Answer = async ({ api, options, output }) => {
  const { client, state, source, route, connection, since, limit = 50, cursor } = options;
  const query = { client, state, source, route, connection, since: iso(since), cursor };
  const calls = await collect(api.all<ApiCall>('/calls', query, limit));
  output.data(calls);
  if (calls.length === 0) return output.line(cursor ? 'No more calls.' : 'No calls.');
  const { statesOf } = await import('../commands/calls/calls.ts');
  const rows = calls
    .map(entryOf)
    .map((entry) => [...[when(entry.received_at), entry.source, entry.call_id, entry.outcome ?? '', statesOf(entry)]]);
  for (const line of table(['RECEIVED', 'SOURCE', 'CALL', 'OUTCOME', 'ROUTES'], rows)) output.line(line);
};

const showCall: Answer = async ({ api, options, output, args: [id = ''] }) => {
  if (options.payload)
    throw new CliError(EXIT.usage, 'the API gives no payload', 'it holds what the caller said: ask Redis for it');
  const { client, source } = options;
  const found = await collect(api.all<ApiCall>('/calls', { id, client, source }));
  const [call, ...others] = found.filter(({ call_id }) => call_id === id);
  if (!call) throw new CliError(EXIT.failed, `there is no call ${clean(id, 80)}, or not for this token`);
  if (others.length > 0)
    throw new CliError(EXIT.usage, 'several sources have a call with that id', 'name one with --source');
  // The call by itself has what a list leaves out: when each delivery was sent, and its requests.
  output.data(await api.get<ApiCall>(`/calls/${[call.source, call.call_id].map(encodeURIComponent).join('/')}`));
  const { explainCall } = await import('../show/explain.ts');
  for (const line of await explainCall(entryOf(call), output)) output.line(line);
};

const placesOf = ({ source, route, connection, since, until }: ApiOptions) => ({
  ...{ source, route, connection, since: iso(since), until: iso(until) },
});

function listUnresolved(state: State): Answer {
  return async ({ api, options, output }) => {
    const { client, reason, cursor, limit } = options;
    const query = { ...placesOf(options), client, reason, cursor };
    const items = await collect(api.all<Item>(`/${state}`, query, limit ?? (output.json ? undefined : 50)));
    output.data(items);
    if (items.length === 0) return output.line(`Nothing ${cursor === undefined ? 'is' : 'more is'} ${state}.`);
    const { showItems } = await import('../commands/calls/unresolved.ts');
    showItems(items, output);
  };
}

/** Deliveries that are named one by one; all that a filter names by one request, which is followed to its end. */
function resolve(state: State, action: 'replay' | 'drop'): Answer {
  return async ({ api, options, output, args: ids }) => {
    const { client, resume, all = false, plan = false } = options;
    if (resume !== undefined)
      throw new CliError(EXIT.usage, 'the API takes no --resume', 'start it again: what is done is left alone');
    const why = action === 'drop' ? options.reason?.trim() : undefined;
    if (action === 'drop' && !why)
      throw new CliError(EXIT.usage, 'dropping needs --reason', 'write why, for whom it concerns later');
    const reason = action === 'drop' ? options.code : options.reason;
    const filter = Object.fromEntries(
      Object.entries({ ...placesOf(options), reason }).filter(([, value]) => value !== undefined),
    );
    const body = why === undefined ? {} : { why };
    if (ids.length > 0) return resolveNamed({ api, options, output, args: ids }, { state, action, filter, body });
    if (client !== undefined)
      throw new CliError(
        EXIT.usage,
        'the API narrows a replay or drop of many by its token',
        `wrapup token add --client ${clean(client, 40)}`,
      );
    await resolveMany(`/${state}/${action}`, action, { filter, all, ...body }, { api, output, plan });
  };
}

/** Asks for a run of many, and follows it to its end. */
async function resolveMany(
  path: string,
  action: keyof typeof DONE,
  asked: object,
  { api, output, plan }: Pick<Asked, 'api' | 'output'> & { plan: boolean },
): Promise<void> {
  if (plan) {
    const { count: of, exact } = await api.post<{ count: number; exact: boolean }>(path, { ...asked, dry_run: true });
    output.data({ plan: true, of, exact });
    return output.line(`${exact ? '' : 'at least '}${of} would be ${DONE[action]}`);
  }
  let { run } = await api.post<{ run: Run }>(path, asked);
  const progress = makeProgress(output, 'deliveries');
  while (run.ended === undefined) {
    progress.show(run.done, run.of);
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    run = await api.get<Run>(`/runs/${run.id}`);
  }
  progress.end();
  finish(output, action, run.done, run.of, { run: run.id });
}

const DONE = { replay: 'replayed', drop: 'dropped', choose: 'replayed' } as const;
const FOLLOW_MS = 1_000;

async function resolveNamed(
  { api, options, output, args: ids }: Asked,
  { state, action, filter, body }: { state: State; action: 'replay' | 'drop'; filter: object; body: object },
): Promise<void> {
  const found = await collect(api.all<Item>(`/${state}`, { ...filter, client: options.client }));
  const named = found.filter(({ call_id }) => ids.includes(call_id));
  const missing = ids.filter((id) => !named.some(({ call_id }) => call_id === id));
  if (missing.length > 0)
    throw new CliError(EXIT.failed, `not ${state}: ${missing.map((id) => clean(id, 80)).join(', ')}`);
  let good = 0;
  for (const { source, call_id, route } of named) {
    const place = [source, call_id, ...(route === null ? [] : [route])].map(encodeURIComponent).join('/');
    const path = `/${route === null ? 'calls' : 'deliveries'}/${place}/${action}`;
    const done = options.plan ? `would be ${DONE[action]}` : (await api.post<{ done: string }>(path, body)).done;
    if (done === DONE[action]) good += 1;
    output.line(`${clean(call_id)}${route === null ? '' : ` on ${clean(route)}`}: ${done}`);
  }
  if (options.plan) return output.data({ plan: true, of: named.length });
  finish(output, action, good, named.length, {});
}

function finish(output: Output, action: keyof typeof DONE, done: number, of: number, more: object): void {
  output.data({ plan: false, [DONE[action]]: done, of, ...more });
  output.line(`${done} of ${of} ${DONE[action]}`);
  if (done < of) process.exitCode = EXIT.failed;
}

const choose: Answer = async ({ api, options, output, args: [id = ''] }) => {
  const { client, person = '', remember = false, alike = false, plan = false } = options;
  if (plan && !alike) throw new CliError(EXIT.usage, '--plan lists what --alike would decide', 'add --alike');
  const parked = await collect(api.all<Item>('/parked', { ...placesOf(options), client }));
  const found = parked.filter(
    ({ call_id, candidates, code }) => call_id === id && (candidates !== undefined || code === 'unmatched_person'),
  );
  const [one, ...others] = found;
  if (!one) throw new CliError(EXIT.failed, `${clean(id, 80)} is not parked for having several candidates`);
  if (others.length > 0)
    throw new CliError(
      EXIT.usage,
      `several deliveries of ${clean(id)} are ambiguous`,
      'name one with --route, --source',
    );
  const place = { source: one.source, call_id: id, route: one.route };
  const asked = { person: person.trim(), remember };
  if (alike) return resolveMany('/parked/choose', 'choose', { ...place, ...asked }, { api, output, plan });
  const path = `/deliveries/${Object.values(place)
    .map((name) => encodeURIComponent(name ?? ''))
    .join('/')}/choose`;
  const { done } = await api.post<{ done: string }>(path, asked);
  if (done !== 'replayed')
    throw new CliError(EXIT.failed, `nothing was done: ${done}`, `wrapup calls show ${clean(id)}`);
  output.data({ ...place, connection: one.connection, person: asked.person, remembered: remember });
  output.line(`${clean(id)} on ${clean(one.route ?? '')} is about ${clean(asked.person)}, and on its way again`);
};

const listConnections: Answer = async ({ api, options, output }) => {
  const { items } = await api.get<{ items: ConnectionRow[] }>('/connections', { client: options.client });
  await showConnections(items, output);
};

function changeConnection(action: 'pause' | 'resume'): Answer {
  return async ({ api, options, output, args: [name = ''] }) => {
    const why = options.reason?.trim();
    const body = action === 'pause' && why ? { why } : {};
    const row = await api.post<ConnectionRow>(`/connections/${encodeURIComponent(name)}/${action}`, body);
    output.data(row);
    const waits = count(row.waiting + row.delayed, 'delivery waits', 'deliveries wait');
    const state =
      action === 'pause' ? 'paused' : row.circuit === 'open' ? 'being probed; it stopped itself' : 'resumed';
    output.line(`${clean(row.connection)} is ${state}: ${waits}.`);
  };
}

async function showConnections(rows: ConnectionRow[], output: Output): Promise<void> {
  output.data(rows);
  const { describeCause } = await import('@wrapup/queue');
  const cells = rows.map(({ connection, kind, circuit, operator, waiting, active, delayed, failed, routes }) => [
    ...[
      connection,
      kind ?? '-',
      circuit === 'open' || operator ? 'paused' : 'running',
      waiting,
      active,
      delayed,
      failed,
    ],
    routes.join(', '),
  ]);
  const head = ['CONNECTION', 'KIND', 'STATE', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED', 'ROUTES'];
  const [first, ...lines] = table(head, cells);
  output.line(first);
  for (const [index, line] of lines.entries()) {
    output.line(line);
    const { circuit, pause, operator } = rows[index] as ConnectionRow;
    if (pause && circuit === 'open')
      output.line(`    stopped itself: ${clean(`${describeCause(pause)} ${pause.hint ?? ''}`, 1000)}`);
    if (operator)
      output.line(
        `    paused by ${clean(operator.by ?? 'an operator')}: ${clean(operator.reason ?? 'no reason given')}`,
      );
  }
}

interface ClientRow {
  client: string | null;
  state: string | null;
  errors: number;
  today: number;
  parked: number;
  dead: number;
  paused: string[];
}

const listClients: Answer = async ({ api, output }) => {
  const { items } = await api.get<{ items: ClientRow[] }>('/clients');
  output.data(items);
  if (items.length === 0) return output.line('No clients.');
  const rows = items.map(({ client, state, today, parked, dead, paused }) => [
    ...[client ?? 'wrapup.yaml', state ?? 'ok', today, parked, dead, paused.join(', ')],
  ]);
  for (const line of table(['CLIENT', 'FILE', 'TODAY', 'PARKED', 'DEAD', 'PAUSED'], rows)) output.line(line);
};

const listDigests: Answer = async ({ api, options, output }) => {
  const { items } = await api.get<{ items: DigestRow[] }>('/digests', { client: options.client });
  const { showDigests } = await import('../commands/calls/digests.ts');
  showDigests(items, output);
};

interface OmissionRow {
  id: string;
  connection: string;
  calls: number;
  open: number;
  record: string;
  field?: string;
  file: string;
  line: number;
  code: string;
  reason: string;
  hint: string;
}

const listOmissions: Answer = async ({ api, options, output }) => {
  if (options.fields) throw new CliError(EXIT.usage, 'the API takes no --fields', 'ask Redis for it');
  const { client, connection, since } = options;
  const { items } = await api.get<{ items: OmissionRow[] }>('/omissions', { client, connection, since: iso(since) });
  output.data({ lines: items });
  if (items.length === 0) return output.line('Nothing was left out.');
  for (const { id, calls, open, record, field, file, line, code, reason, hint } of items) {
    const what = field === undefined ? record : `${record}.${field}`;
    output.line(`${id}  ${count(calls, 'call')}, ${open} still: ${clean(what)} (${clean(file)}:${line})`);
    output.line(`    ${code}: ${clean(reason, 300)}`);
    output.line(output.style('dim', `    ${clean(hint, 500)}`));
  }
};

type AuditRow = Omit<AuditEntry, 'at'> & { at: string };

const listAudit: Answer = async ({ api, options, output }) => {
  const { client, since, until, by, action, call: call_id, limit } = options;
  const query = { client, since: iso(since), until: iso(until), by, action, call_id };
  const rows = await collect(api.all<AuditRow>('/audit', query, output.json ? undefined : limit));
  if (output.json) return output.lines(eachOf(rows.reverse()));
  if (rows.length === 0) return output.line('Nothing was done.');
  const { showAudit } = await import('../commands/access/audit.ts');
  await showAudit(
    rows.map((row) => ({ ...row, at: Date.parse(row.at) })),
    output,
  );
};

/** Every command that the API has, by its words. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'calls list': listCalls,
  'calls show': showCall,
  'parked list': listUnresolved('parked'),
  'parked replay': resolve('parked', 'replay'),
  'parked drop': resolve('parked', 'drop'),
  'parked choose': choose,
  'dead list': listUnresolved('dead'),
  'dead replay': resolve('dead', 'replay'),
  'dead drop': resolve('dead', 'drop'),
  'connections list': listConnections,
  'connections pause': changeConnection('pause'),
  'connections resume': changeConnection('resume'),
  'client list': listClients,
  digests: listDigests,
  omissions: listOmissions,
  audit: listAudit,
};

/** Has a command ask the API instead of Redis. @throws CliError where the API does not have it */
export async function askApiInstead(command: Command): Promise<void> {
  const words = wordsOf(command);
  const answer = ANSWERS[words];
  if (!answer) {
    throw new CliError(
      EXIT.usage,
      `wrapup ${words} does not go through the API`,
      `leave --api out where Redis is; with it: ${Object.keys(ANSWERS).join(', ')}`,
    );
  }
  const { readVariable } = await import('@wrapup/config');
  command.action(async () => {
    const options = command.optsWithGlobals<ApiOptions>();
    const output = makeOutput(options.json ?? false);
    const api = new ApiClient(options.api, readVariable('WRAPUP_API_TOKEN', process.env) || undefined);
    await answer({ api, options, output, args: command.args });
  });
}

function wordsOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${wordsOf(parent)} ${command.name()}` : command.name();
}

async function collect<One>(items: AsyncIterable<One>): Promise<One[]> {
  const found: One[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* eachOf<One>(items: One[]): AsyncGenerator<One> {
  yield* items;
}
