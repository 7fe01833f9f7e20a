import type { Request } from 'express';

/**
 * Who sends a request, once proved. Pages and actions go by this alone, so that another way of signing in (single
 * sign-on, several accounts) is another `Identify` and nothing else.
 */
export interface Principal {
  /** Name in the log of operator actions. */
  name: string;
  /** Client that the login is bound to; absent for a login that sees the whole installation. */
  client?: string;
}

/** User and password of the dashboard, configured or given. */
export interface Credentials {
  user: string;
  password: string;
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
