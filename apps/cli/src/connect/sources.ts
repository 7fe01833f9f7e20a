/** The voice platform's side of a command: which source, its API, and what its failures mean. */
import { localName, own } from '@wrapup/call';
import type { Config, Source } from '@wrapup/config';
import type { SynthflowApi } from '@wrapup/synthflow';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../terminal/exit.ts';
import { listNames } from './client-option.ts';

/**
 * The source of that name; without a name the only one.
 * @param name in full
 * @param usual name taken where there are several
 * @throws CliError when there is no such source, or several and no usual one
 */
export function chooseSource(config: Config, name: string | undefined, usual?: string): Source {
  const names = Object.keys(config.sources);
  const chosen = name ?? (names.length === 1 ? names[0] : usual);
  const source = own(config.sources, chosen ?? '');
  if (source) return source;
  const there = `there are: ${listNames(names)}`;
  const alike = names.filter((one) => localName(one) === chosen);
  if (alike.length > 0) {
    const which = alike.length === 1 ? 'source of that name is' : 'clients each have a source of that name:';
    const message = `${alike.length === 1 ? 'the only' : alike.length} ${which} ${listNames(alike)}`;
    throw new CliError(EXIT.usage, message, 'name it in full with --source, or its client with --client');
  }
  if (name === undefined) throw new CliError(EXIT.usage, 'name the source with --source', there);
  throw new CliError(EXIT.usage, `there is no source "${clean(name, 80)}"`, there);
}

/** Runs something with the API of a source, and closes it. What the API says of a failure ends the command. */
export async function withApi<T>(source: Source, work: (api: SynthflowApi) => Promise<T>): Promise<T> {
  const [{ openApi, SourceError }, { SynthflowApiError }] = await Promise.all([
    import('@wrapup/recovery'),
    import('@wrapup/synthflow'),
  ]);
  let api: SynthflowApi;
  try {
    api = openApi(source);
  } catch (error) {
    if (error instanceof SourceError) throw new CliError(EXIT.failed, error.message, error.hint);
    throw error;
  }
  try {
    return await work(api);
  } catch (error) {
    if (!(error instanceof SynthflowApiError)) throw error;
    throw new CliError(exitOf(error.code), error.message, error.hint);
  } finally {
    api.close();
  }
}

const UNREACHABLE: ReadonlySet<string> = new Set(['network', 'timeout', 'unavailable', 'throttled', 'wrong_place']);

/** @param code of a SynthflowApiError */
export function exitOf(code: string | undefined): ExitCode {
  return code !== undefined && UNREACHABLE.has(code) ? EXIT.unreachable : EXIT.failed;
}

/** A signal that Ctrl-C aborts, so that a command can say how to continue. A second one ends it at once. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new CliError(EXIT.failed, 'interrupted', 'the same command continues from here'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  try {
    return await work(stop.signal);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
  }
}
