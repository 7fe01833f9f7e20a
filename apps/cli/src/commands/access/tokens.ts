import type { ApiToken } from '@wrapup/queue';
import type { Command } from 'commander';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { ago, makeOutput, table, when } from '../../terminal/output.ts';
import { parseTime } from '../../terminal/parse-options.ts';
import { roleOption } from './users.ts';

const DAY_MS = 86_400_000;
/** A token that is forgotten somewhere ends by itself. */
const MAX_MS = 366 * DAY_MS;

interface AddOptions extends GlobalOptions {
  role: string;
  name?: string;
  expires: number;
}

/** `wrapup token add|list|revoke`: what the HTTP API is asked with. */
export function addTokens(program: Command): void {
  const tokens = program.command('token').description('tokens of the HTTP API, each with a role and an end');

  tokens
    .command('add')
    .description('make one and print it, this once')
    .addOption(roleOption())
    .option('--client <name>', 'bound to this client: sees and changes nothing of another')
    .option('--name <text>', 'what it is for; names it in the audit')
    .option('--expires <time>', 'how long it is good for, 366d at most', parseTime, 90 * DAY_MS)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<AddOptions>();
      const output = makeOutput(options.json ?? false);
      const { role, client, expires } = options;
      if (expires > MAX_MS) throw new CliError(EXIT.usage, 'a token is good for 366d at most');
      const name = clean(options.name?.trim() || `${role} token`, 60);
      const { token, text } = await withStore(async (store) => {
        await requireClient(options, store);
        const given = { name, role, ...(client === undefined ? {} : { client }), expires_at: Date.now() + expires };
        return store.tokens.add(given, operator());
      });
      output.data({ ...forMachines(token), token: text });
      output.line(
        `Token ${token.id} (${name}): ${role}${client === undefined ? '' : ` of client ${client}`}, until ${when(token.expires_at)}.`,
      );
      output.line('Shown this once; send it as `Authorization: Bearer`, or set it as WRAPUP_API_TOKEN:');
      output.line(text);
    });

  tokens
    .command('list')
    .description('all of them, the latest first, and when each was used last')
    .action(async (_options, command: Command) => {
      const output = makeOutput(command.optsWithGlobals<GlobalOptions>().json ?? false);
      const found = await withStore((store) => store.tokens.list());
      output.data(found.map(forMachines));
      if (found.length === 0) return output.line('No tokens. `wrapup token add --role <role>` makes the first.');
      const rows = found.map(({ id, name, role, client, expires_at, by, used_at }) => [
        ...[id, name, role, client ?? 'all', expires_at < Date.now() ? 'expired' : when(expires_at)],
        ...[used_at === undefined ? 'never' : ago(used_at), by],
      ]);
      for (const line of table(['TOKEN', 'NAME', 'ROLE', 'CLIENT', 'UNTIL', 'USED', 'MADE BY'], rows))
        output.line(line);
    });

  tokens
    .command('revoke')
    .description('end one at once')
    .argument('<token id>', 'as `token list` names it')
    .action(async (id: string, _options, command: Command) => {
      const output = makeOutput(command.optsWithGlobals<GlobalOptions>().json ?? false);
      const token = await withStore((store) => store.tokens.revoke(id, operator()));
      if (!token)
        throw new CliError(EXIT.failed, `there is no token ${clean(id, 40)}`, '`wrapup token list` names them');
      output.data({ ...forMachines(token), revoked: true });
      output.line(`Token ${token.id} (${clean(token.name)}) is revoked.`);
    });
}

function forMachines({ created_at, expires_at, used_at, client, ...token }: ApiToken): object {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...{ ...token, client: client ?? null, created_at: iso(created_at), expires_at: iso(expires_at) },
    ...(used_at === undefined ? {} : { used_at: iso(used_at) }),
  };
}
