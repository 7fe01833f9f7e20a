/** Replays or drops deliveries that are named, or all that a filter chooses, however many. */
import type { Config } from '@wrapup/config';
import type {
  BulkAction,
  BulkResult,
  BulkRun,
  Store,
  UnresolvedFilter,
  UnresolvedItem,
  UnresolvedState,
} from '@wrapup/queue';
import { withFullNames } from '../connect/client-option.ts';
import { operator } from '../connect/operator.ts';
import { type GlobalOptions, loadSettings, requireClient, requireConfig } from '../connect/settings.ts';
import { untilInterrupted } from '../connect/sources.ts';
import { withStore } from '../connect/store.ts';
import { expired } from '../show/explain.ts';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { makeOutput, type Output } from '../terminal/output.ts';
import { makeProgress } from '../terminal/progress.ts';

/** Options that choose unresolved deliveries. */
export interface PlaceOptions {
  client?: string;
  source?: string;
  route?: string;
  connection?: string;
  /** Epoch ms. */
  since?: number;
  until?: number;
}

export interface BulkCommand {
  state: UnresolvedState;
  action: BulkAction;
  ids: string[];
  options: GlobalOptions & PlaceOptions & { reason?: string; all?: boolean; plan?: boolean; resume?: string | true };
  /** Why they are dropped. */
  why?: string;
}

/** Items that are listed one by one, also in the JSON document; of more only the sums are given. */
const MAX_SHOWN = 1_000;
const DONE = { replay: 'replayed', drop: 'dropped', choose: 'replayed' } as const;

/** What a whole run came to. */
interface RunSums {
  run: string;
  done: number;
  of: number;
}

type Line = { source: string; call_id: string; route: string | null; done: boolean };

/** Decides all that are parked for the number or address of a call for one person. @param plan only says which they are */
export async function chooseAlike(
  store: Store,
  delivery: { source: string; call_id: string; route: string },
  { person, remember, plan, config }: { person: string; remember: boolean; plan: boolean; config: Config | undefined },
  output: Output,
): Promise<void> {
  const { filterAlike, startAlike } = await import('@wrapup/queue');
  const shown = makeReport('choose', plan, output);
  const alike = await filterAlike(store, delivery);
  const id = clean(delivery.call_id, 80);
  if (!alike)
    throw new CliError(
      EXIT.failed,
      `no others are known for ${id}: the number or address of its candidates was only said`,
      'leave --alike out: the choice is for this call alone then',
    );
  if (plan) {
    for await (const item of store.unresolved.all('parked', alike.filter)) shown.add(item);
    return shown.end();
  }
  const run = await startAlike(store, delivery, { person, remember, by: operator() });
  if (typeof run === 'string')
    throw new CliError(EXIT.failed, 'its state has changed meanwhile, and nothing was done', `wrapup calls show ${id}`);
  shown.end(await carryOut(store, run, await howToReplay(config), shown, output));
}

/** The filter that the options make. */
export async function filterOf(options: PlaceOptions & { reason?: string }): Promise<UnresolvedFilter> {
  const { reasonFilter } = await import('@wrapup/queue');
  const { client, source, route, connection, since, until, reason } = withFullNames(options);
  return { client, source, route, connection, since, until, ...(reason === undefined ? {} : reasonFilter(reason)) };
}

/** @throws CliError when nothing says which, or what is named is not in that state */
export async function resolveMany(command: BulkCommand): Promise<void> {
  const { state, action, ids, options } = command;
  const output = makeOutput(options.json ?? false);
  const { all, plan, resume } = options;
  const filter = await filterOf(options);
  const filtered = Object.values(filter).some((value) => value !== undefined);
  if (resume !== undefined && (ids.length > 0 || filtered || all || plan))
    throw new CliError(EXIT.usage, '--resume continues with what was chosen before: name nothing else');
  if (resume === undefined && ids.length === 0 && !all && !filtered) {
    const which = action === 'drop' ? '--code' : '--reason';
    throw new CliError(
      EXIT.usage,
      `name what to take: call ids, --all, --client, --route, --connection, ${which}, --since or --until`,
    );
  }
  const shown = makeReport(action, plan ?? false, output);
  await withStore(async (store) => {
    await requireClient(options, store);
    if (plan) return showPlan(store, command, filter, shown);
    const config = action === 'replay' ? await configForReplay(options, output) : undefined;
    const how = await howToReplay(config);
    if (ids.length > 0) {
      const { dropUnresolved, replayUnresolved } = await import('@wrapup/queue');
      for (const item of await named(store, command, filter)) {
        const result: BulkResult =
          action === 'replay'
            ? await replayUnresolved(store, state, item, { ...how, by: operator() })
            : (await dropUnresolved(store, item, { reason: command.why ?? '', by: operator() }))
              ? 'dropped'
              : 'moved';
        shown.add(item, result);
      }
      return shown.end();
    }
    const run = resume === undefined ? await begin(store, command, filter, output) : await findRun(store, command);
    const done = await carryOut(store, run, how, shown, output);
    shown.end(done);
  });
}

async function begin(
  store: Store,
  { state, action, why }: BulkCommand,
  filter: UnresolvedFilter,
  output: Output,
): Promise<BulkRun> {
  const { listBulk, startBulk } = await import('@wrapup/queue');
  const open = (await listBulk(store)).find((run) => isOpen(run, state, action));
  if (open)
    output.remark(`An earlier one was interrupted: wrapup ${state} ${action} --resume ${open.id} continues it.`);
  return startBulk(store, { state, action, filter, by: operator(), ...(why === undefined ? {} : { why }) });
}

async function findRun(store: Store, { state, action, options }: BulkCommand): Promise<BulkRun> {
  const { listBulk, readBulk } = await import('@wrapup/queue');
  const { resume } = options;
  const run =
    typeof resume === 'string'
      ? await readBulk(store, resume)
      : (await listBulk(store)).find((one) => isOpen(one, state, action));
  if (run?.state === state && run.action === action) return run;
  throw new CliError(EXIT.failed, `there is no ${action} of what is ${state} to resume`);
}

function isOpen(run: BulkRun, state: UnresolvedState, action: BulkAction): boolean {
  return run.ended === undefined && run.begun === true && run.state === state && run.action === action;
}

async function carryOut(
  store: Store,
  { id, state, action }: BulkRun,
  how: { attempts(route: string): number; config?: string | undefined },
  shown: ReturnType<typeof makeReport>,
  output: Output,
): Promise<RunSums> {
  const { itemsOfRun, RunIsTaken, runBulk } = await import('@wrapup/queue');
  const progress = makeProgress(output, 'deliveries');
  const hint =
    action === 'choose'
      ? 'the page of parked calls resumes it; or run it again on one of the calls that are left'
      : `wrapup ${state} ${action} --resume ${id} continues from here`;
  try {
    return await untilInterrupted(async (signal) => {
      const run = await runBulk(store, id, {
        ...how,
        by: operator(),
        signal,
        onItem: (item, result) => shown.add(item, result),
        onProgress: (run, behind) => progress.show(behind, run.of, `${run.done} ${DONE[action]}`),
      });
      if (run.ended === undefined) {
        const so_far = `${run.done} of ${run.of} ${DONE[action]}`;
        throw new CliError(EXIT.failed, `interrupted with ${so_far}`, hint);
      }
      return { run: id, done: run.done, of: itemsOfRun(run) };
    });
  } catch (error) {
    if (error instanceof RunIsTaken) throw new CliError(EXIT.failed, 'another process is at it', hint);
    throw error;
  } finally {
    progress.end();
  }
}

async function showPlan(
  store: Store,
  command: BulkCommand,
  filter: UnresolvedFilter,
  shown: ReturnType<typeof makeReport>,
): Promise<void> {
  if (command.ids.length > 0) {
    for (const item of await named(store, command, filter)) shown.add(item);
  } else {
    for await (const item of store.unresolved.all(command.state, filter)) shown.add(item);
  }
  shown.end();
}

/** The deliveries of calls that were named. */
async function named(store: Store, { state, ids }: BulkCommand, filter: UnresolvedFilter): Promise<UnresolvedItem[]> {
  const items = await store.unresolved.named(state, ids, filter);
  const missing = ids.filter((id) => !items.some(({ call_id }) => call_id === id));
  if (missing.length === 0) return items;
  throw new CliError(
    EXIT.failed,
    `not ${state}: ${missing.map((id) => clean(id, 80)).join(', ')}`,
    'wrapup calls show <call id> says what became of a call',
  );
}

/** Says what became of each, and sums up. */
function makeReport(action: BulkAction, plan: boolean, output: Output) {
  const lines: Line[] = [];
  const done = DONE[action];
  let of = 0;
  let good = 0;
  return {
    /** @param result undefined: it would be done */
    add(item: UnresolvedItem, result?: BulkResult): void {
      const { source, call_id, route } = item;
      of += 1;
      if (result === done) good += 1;
      // A long run says what went wrong, and sums the rest up.
      if (of > MAX_SHOWN && (result === undefined || result === done)) return;
      if (of <= MAX_SHOWN) lines.push({ source, call_id, route, done: result === done });
      const verdict =
        result === undefined
          ? `would be ${done}`
          : result === 'moved'
            ? `could not be ${done}: its state has changed meanwhile`
            : result === 'expired'
              ? `could not be ${done}: ${expired(call_id)}`
              : result === 'no_candidate'
                ? `could not be ${done}: the person is none of its candidates`
                : result;
      output.line(`${clean(call_id)} ${route === null ? '' : `on ${clean(route)} `}${verdict}`);
    },
    /** @param run sums that count what an interrupted command did, too */
    end(run?: RunSums): void {
      const sums = run ?? { done: good, of };
      output.data({
        ...{ plan, [done]: sums.done, of: sums.of },
        ...(run ? { run: run.run } : {}),
        ...(of <= MAX_SHOWN ? { items: lines } : {}),
      });
      output.line(plan ? `${of} would be ${done}` : `${sums.done} of ${sums.of} ${done}`);
      if (!plan && sums.done < sums.of) process.exitCode = EXIT.failed;
    },
  };
}

async function howToReplay(config: Config | undefined) {
  const { attemptsOf } = await import('@wrapup/config');
  return { attempts: (route: string) => attemptsOf(config, route), config: config?.hash };
}

/**
 * The configuration that a replay is to use. Without one here it uses that of the workers; with one that has errors it
 * would use the previous one, which is not what an operator wants who has just fixed a mapping.
 */
export async function configForReplay(options: GlobalOptions, output: Output): Promise<Config | undefined> {
  const { config, findings } = await loadSettings(options);
  if (config || findings.some(({ code }) => code === 'no-config')) return config;
  return requireConfig(options, output);
}
