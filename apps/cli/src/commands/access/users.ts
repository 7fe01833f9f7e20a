import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LoginRole, Users } from '@wrapup/config';
import { replaceFile } from '@wrapup/config/replace-file';
import { type Command, Option } from 'commander';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { readInput } from '../../terminal/input.ts';
import { makeOutput, table } from '../../terminal/output.ts';

const ROLES: readonly LoginRole[] = ['viewer', 'operator', 'admin'];
/** NIST SP 800-63B-4 §3.1.1.2, where it is the only factor. */
const MIN_PASSWORD = 15;

export const roleOption = () =>
  new Option('--role <role>', 'viewer: reads; operator: replays, drops, decides, pauses; admin: also the audit')
    .choices(ROLES)
    .makeOptionMandatory();

interface AddOptions extends GlobalOptions {
  role: LoginRole;
  password?: string;
  replace?: boolean;
}

/** `wrapup user add|list|remove`: logins of the dashboard, in a file that holds hashes of their passwords. */
export function addUsers(program: Command): void {
  const users = program.command('user').description('logins of the dashboard, each with a role');

  users
    .command('add')
    .description('add a login; its password is made and printed once, unless it is given')
    .argument('<name>')
    .addOption(roleOption())
    .option('--client <name>', 'bound to this client: sees and changes nothing of another')
    .option('--password <->', '- reads it from standard input; it is never an argument, which others could read')
    .option('--replace', 'change a login that is there: role, client and password')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<AddOptions>();
      const output = makeOutput(options.json ?? false);
      const { file, users: before, hashPassword, writeUsers, USER_NAME } = await readFile(options);
      if (!USER_NAME.test(name))
        throw new CliError(
          EXIT.usage,
          `"${clean(name, 80)}" is no name`,
          'letters, digits and . _ @ + - , at most 100',
        );
      if (Object.hasOwn(before, name) && !options.replace)
        throw new CliError(EXIT.failed, `there is a login ${name} already`, 'add --replace to change it');
      const given = await readPassword(options.password);
      const password = given ?? randomBytes(18).toString('base64url');
      const { role, client } = options;
      const user = { role, ...(client === undefined ? {} : { client }), password: await hashPassword(password) };
      await withStore(async (store) => {
        await requireClient(options, store);
        await store.audit.note(operator(), {
          ...{ action: 'change access', target: `user ${name}`, reason: `added as ${role}` },
          ...(client === undefined ? {} : { client }),
        });
      });
      mkdirSync(dirname(file), { recursive: true });
      replaceFile(file, writeUsers({ ...before, [name]: user }), 0o600);
      output.data({ name, role, client: client ?? null, file, ...(given === undefined ? { password } : {}) });
      const bound = client === undefined ? '' : ` of client ${client}`;
      output.line(
        `${name} is ${role}${bound}, in ${clean(file)}. The dashboard takes it at once if it asks for logins.`,
      );
      if (given === undefined) output.line(`Password, shown this once: ${password}`);
    });

  users
    .command('list')
    .description('every login of the file; not DASHBOARD_USER, nor those that stand in files of clients')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const { users: known } = await readFile(options);
      const rows = Object.entries(known).map(([name, { role, client }]) => ({ name, role, client: client ?? null }));
      output.data(rows);
      if (rows.length === 0) return output.line('No logins. `wrapup user add <name> --role <role>` adds the first.');
      for (const line of table(
        ['USER', 'ROLE', 'CLIENT'],
        rows.map(({ name, role, client }) => [name, role, client ?? 'all']),
      ))
        output.line(line);
    });

  users
    .command('remove')
    .description('remove a login; its sessions end at once')
    .argument('<name>')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const { file, users: before, writeUsers } = await readFile(options);
      const { [name]: user, ...others } = before;
      if (!Object.hasOwn(before, name) || !user)
        throw new CliError(EXIT.failed, `there is no login ${clean(name, 80)}`, '`wrapup user list` names them');
      await withStore((store) =>
        store.audit.note(operator(), {
          ...{ action: 'change access', target: `user ${name}`, reason: 'removed' },
          ...(user.client === undefined ? {} : { client: user.client }),
        }),
      );
      replaceFile(file, writeUsers(others));
      output.data({ name, removed: true });
      output.line(`${name} is removed, and its sessions have ended.`);
    });
}

async function readFile(options: GlobalOptions) {
  const { hashPassword, readUsers, USER_NAME, UsersFileError, usersFile, writeUsers } = await import('@wrapup/config');
  const file = usersFile(options.config);
  let users: Users;
  try {
    users = readUsers(file);
  } catch (error) {
    if (error instanceof UsersFileError) throw new CliError(EXIT.failed, error.message, 'nothing was changed');
    throw error;
  }
  return { file, users, hashPassword, writeUsers, USER_NAME };
}

/** @returns undefined where one is to be made */
async function readPassword(given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  if (given !== '-')
    throw new CliError(
      EXIT.usage,
      'a password is no argument, which others could read',
      '--password - reads it from standard input',
    );
  const password = (await readInput('-')).toString('utf8').replace(/\r?\n$/, '');
  if (password.length >= MIN_PASSWORD) return password;
  throw new CliError(EXIT.usage, `the password has ${password.length} characters`, `it takes at least ${MIN_PASSWORD}`);
}
