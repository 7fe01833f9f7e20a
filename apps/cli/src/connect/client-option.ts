/** `--client`: narrows a command to one client, and reads names in other options as its file has them. */
import { clientOf, fullName, own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { Command } from 'commander';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT } from '../terminal/exit.ts';

/** Names that are listed in a hint. */
const MAX_NAMES = 20;

/** Adds the option to a command that can be narrowed. */
export function addClientOption(command: Command): Command {
  return command.option('--client <name>', 'only what belongs to this client; other names are read as in its file');
}

interface Names {
  client?: string;
  source?: string;
  route?: string;
  connection?: string;
}

/** The options with names in full: `--client acme --source main` and `--source acme.main` are the same. @throws CliError */
export function withFullNames<Options extends Names>(options: Options): Options {
  const full: Names = {};
  for (const what of ['source', 'route', 'connection'] as const) {
    const name = options[what];
    if (name !== undefined) full[what] = nameInFull(what, name, options.client);
  }
  return { ...options, ...full };
}

/** @throws CliError for a full name of another client */
export function nameInFull(what: string, name: string, client: string | undefined): string {
  const owner = clientOf(name);
  if (client === undefined || owner === client) return name;
  if (owner === undefined) return fullName(client, name);
  throw new CliError(
    EXIT.usage,
    `${what} ${clean(name, 80)} does not belong to client ${clean(client, 80)}`,
    'leave --client out, or name it as its file does',
  );
}

/** The configuration of one client. @param mayBeGone also for one without a file, or whose file has errors: nothing is in it */
export async function narrowTo(config: Config, client: string, mayBeGone: boolean): Promise<Config> {
  const { narrowConfig } = await import('@wrapup/config');
  const known = own(config.clients, client);
  if (!known && !mayBeGone) await refuseUnknown(client, Object.keys(config.clients));
  if (known?.state === 'unusable' && !mayBeGone)
    throw new CliError(
      EXIT.failed,
      `the file of client ${client} has errors`,
      `wrapup check --client ${client} shows them`,
    );
  return narrowConfig(config, client);
}

/** @throws CliError always, with the clients that there are */
export async function refuseUnknown(client: string, names: readonly string[]): Promise<never> {
  const { nearest } = await import('@wrapup/findings');
  const near = nearest(client, names);
  const hint =
    names.length === 0
      ? 'there is none: a client is a file clients/<client>.yaml beside wrapup.yaml'
      : `${near === undefined ? '' : `did you mean ${near}? `}there are: ${listNames(names)}`;
  throw new CliError(EXIT.usage, `there is no client "${clean(client, 80)}"`, hint);
}

/** @throws CliError for what cannot be the name of a client */
export async function requireName(client: string): Promise<void> {
  const { isName } = await import('@wrapup/config');
  if (isName(client)) return;
  throw new CliError(
    EXIT.usage,
    `"${clean(client, 80)}" is no name`,
    'small letters, digits and single dashes, at most 40: it is permanent',
  );
}

/** Names for a hint, however many there are. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown || 'none';
}
