/**
 * Logins of the dashboard: `users.yaml` beside wrapup.yaml, or the file that `WRAPUP_USERS` names. The command line writes it, the
 * dashboard reads it. It holds hashes of passwords, and no password.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { isName } from '../file/schema.ts';
import { isPasswordHash } from './password-hash.ts';

/** What a login or token may do, each more than the one before (docs/guide/operating.md). */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type LoginRole = (typeof ROLES)[number];

/** A login, as the file has it. */
export interface User {
  role: LoginRole;
  /** Client that it is bound to; absent: the whole installation. */
  client?: string;
  /** Hash of the password. */
  password: string;
}

export type Users = Readonly<Record<string, User>>;

/** The file cannot be read, or is wrong: it lets no one in. */
export class UsersFileError extends Error {
  override name = 'UsersFileError';
}

/** Letters, digits, and what addresses are made of; no colon, which HTTP Basic cannot carry. */
export const USER_NAME = /^[A-Za-z0-9][\w.@+-]{0,99}$/;

const USER = z.strictObject({
  role: z.enum(ROLES),
  client: z.string().refine(isName, 'is no name of a client').optional(),
  password: z.string().refine(isPasswordHash, 'is no hash: `wrapup user add` makes one'),
});
const FILE = z.record(z.string().regex(USER_NAME), USER);

const HEAD = '# Logins of the dashboard, written by `wrapup user add`. Passwords are kept as scrypt hashes.\n';

/** @param config path of wrapup.yaml; default: as `WRAPUP_CONFIG` says */
export function usersFile(config?: string, env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.WRAPUP_USERS || `${dirname(config ?? env.WRAPUP_CONFIG ?? 'config/wrapup.yaml')}/users.yaml`);
}

/** @returns no users where there is no file @throws UsersFileError */
export function readUsers(file: string): Users {
  const text = readText(file);
  if (text === undefined) return {};
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n');
    throw new UsersFileError(`${file}: ${first}`);
  }
  const read = FILE.safeParse(content);
  if (read.success) return read.data as Users;
  const [issue] = read.error.issues;
  throw new UsersFileError(`${file}: ${issue?.path.map(String).join('.')}: ${issue?.message}`);
}

export function writeUsers(users: Users): string {
  return `${HEAD}${Object.keys(users).length === 0 ? '' : stringify(users, { lineWidth: 0 })}`;
}

/**
 * The users of a file as it is now: looked at on each call and read where it has changed.
 * @param onError called once for each content that cannot be read; it lets no one in then
 */
export function watchUsers(file: string, onError: (error: Error) => void): () => Users {
  let known: { stamp: string; users: Users } | undefined;
  return () => {
    const stamp = stampOf(file);
    if (known?.stamp === stamp) return known.users;
    let users: Users = {};
    try {
      users = readUsers(file);
    } catch (error) {
      onError(error as Error);
    }
    known = { stamp, users };
    return users;
  };
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? [stat.ino, stat.size, stat.mtimeNs].join(':') : '';
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UsersFileError(`${file} cannot be read (${code ?? 'unreadable'})`);
  }
}
