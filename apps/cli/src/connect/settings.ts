import type { Config, Loaded } from '@wrapup/config';
import type { Finding } from '@wrapup/findings';
import type { Store } from '@wrapup/queue';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { Output } from '../terminal/output.ts';
import { listNames, narrowTo, refuseUnknown } from './client-option.ts';
import { nothingRunsHere, START_IT } from './not-running.ts';

/** Options that every command has. */
export interface GlobalOptions {
  json?: boolean;
  config?: string;
  /** Address of a dashboard, where commands are to go through its API. */
  api?: string;
  /** Of commands that can be narrowed to one (`client-option.ts`). */
  client?: string;
}

/** Loads wrapup.yaml. The package is imported here, so that commands which need no configuration start without it. */
export async function loadSettings(options: GlobalOptions, without_variables = false): Promise<Loaded> {
  const { loadConfig } = await import('@wrapup/config');
  return loadConfig({ without_variables, ...(options.config === undefined ? {} : { file: options.config }) });
}

/**
 * The configuration, or the end of the command with what is wrong with it. Warnings are for `check` to say. With `--client`
 * only what belongs to that client is in it.
 * @param mayBeGone for a command that goes by the ledger, where a client without a file has its calls; it asks `requireClient`
 */
export async function requireConfig(options: GlobalOptions, output: Output, mayBeGone = false): Promise<Config> {
  const { config, findings } = await loadSettings(options);
  if (config && options.client !== undefined) {
    return narrowTo(config, options.client, mayBeGone);
  }
  if (config) return config;
  for (const line of await describeFindings(
    findings.filter(({ severity }) => severity === 'error'),
    output,
  )) {
    output.remark(line);
  }
  const unset = nothingRunsHere() && findings.some(({ code }) => code === 'unset-variable');
  const hint = unset ? `${START_IT}; demo values come with it` : 'fix them; `wrapup check` shows them again';
  throw new CliError(EXIT.failed, 'the configuration has errors', hint);
}

/** For commands that go by the ledger: the client has calls there, or a file. @throws CliError for one that has neither */
export async function requireClient({ client, ...options }: GlobalOptions, store: Store): Promise<void> {
  if (client === undefined) return;
  const withCalls = (await store.ledger.clients()).map((one) => one.client);
  if (withCalls.includes(client)) return;
  const { config } = await loadSettings(options);
  const names = [...new Set([...Object.keys(config?.clients ?? {}), ...withCalls])].sort();
  if (!names.includes(client)) await refuseUnknown(client, names);
}

/**
 * For a list that came out empty: a name that the configuration does not have may be a slip of the pen. A remark and no error,
 * since calls of what was removed are listed by its name.
 */
export async function remarkUnknownNames(
  options: GlobalOptions & { source?: string; route?: string; connection?: string },
  output: Output,
): Promise<void> {
  const { config } = await loadSettings(options, true);
  if (!config) return;
  const { nearest } = await import('@wrapup/findings');
  const there = {
    source: Object.keys(config.sources),
    route: config.routes.map(({ name }) => name),
    connection: Object.keys(config.connections),
  };
  for (const what of ['source', 'route', 'connection'] as const) {
    const name = options[what];
    if (name === undefined || there[what].includes(name)) continue;
    const near = nearest(name, there[what]);
    const hint = near === undefined ? `there are: ${listNames(there[what])}` : `did you mean ${near}?`;
    output.remark(`The configuration has no ${what} "${clean(name, 80)}": ${hint}`);
  }
}

/** Compiler style, the hint on a line of its own. */
export async function describeFindings(findings: Finding[], output: Output): Promise<string[]> {
  return findings.flatMap(({ at, severity, message, code, hint }) => {
    const place = at ? `${output.style('bold', `${clean(at.file)}:${at.line}:${at.column}:`)} ` : '';
    const label = output.style(severity === 'error' ? 'red' : 'yellow', `${severity}:`);
    const first = `${place}${label} ${clean(message)} ${output.style('dim', `[${clean(code)}]`)}`;
    return hint ? [first, `    ${clean(hint)}`] : [first];
  });
}
