import { own } from '@wrapup/call';
import type { Config, LoginRole, Users } from '@wrapup/config';
import type { Request } from 'express';

/**
 * Who sends a request, once proved. Pages and actions go by this alone, so that another way of signing in (single
 * sign-on, several accounts) is another `Identify` and nothing else.
 */
export interface Principal {
  /** Name in the log of operator actions. */
  name: string;
  role: LoginRole;
  /** The identity provider that vouches for it; absent for a login of this installation. */
  provider?: string;
  /** Client that the login is bound to; absent for a login that sees the whole installation. */
  client?: string;
}

/** User and password of the dashboard, configured or given. */
export interface Credentials {
  user: string;
  password: string;
}

/** A login that is configured: with its password, or with the hash of it. */
export type Login = Pick<Credentials, 'user'> &
  Pick<Principal, 'client' | 'role'> &
  ({ password: string; hash?: never } | { hash: string; password?: never });

/** The login of a user; undefined where there is none. Asked on every request, so that a removed one ends at once. */
export type FindLogin = (user: string) => Login | undefined;

/**
 * The login of the installation, one for each client with a password in its file, and those of the users' file; of equal names the
 * first of these is meant. The first two may do everything, in the installation and for the client.
 */
export function makeFindLogin(whole: Credentials | undefined, config: () => Config, users: () => Users): FindLogin {
  return (user) => {
    if (user === whole?.user) return { ...whole, role: 'admin' };
    const password = own(config().clients, user)?.password;
    if (password !== undefined) return { user, password, role: 'admin', client: user };
    const known = own(users(), user);
    if (!known) return undefined;
    const { role, client, password: hash } = known;
    return { user, hash, role, ...(client === undefined ? {} : { client }) };
  };
}

export function principalOf({ user, role, client }: Login): Principal {
  return { name: user, role, ...(client === undefined ? {} : { client }) };
}

export interface OperatorSession {
  id: string;
  principal: Principal;
  /** Epoch ms of the sign-in, of this token, and of its end. */
  started_at: number;
  issued_at: number;
  expires_at: number;
}

export interface RequestIdentity {
  principal: Principal;
  /** Absent when every request carries its own proof, as HTTP Basic does. */
  session?: OperatorSession;
}

/**
 * Proves who sends a request. Resolves with undefined when nothing in it proves anything.
 * @throws Unavailable when Redis has to be asked and does not answer
 */
export type Identify = (request: Request) => Promise<RequestIdentity | undefined>;

declare global {
  namespace Express {
    interface Locals {
      /** Set behind the sign-in. Absent where no password is configured. */
      identity?: RequestIdentity;
    }
  }
}
