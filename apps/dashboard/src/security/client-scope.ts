/**
 * What a request may see and change: everything, or one client. The scope is set once, behind the sign-in, and every route
 * goes by it: it asks for the configuration of the scope, filters what it reads by the scope's client, and answers 404 for a
 * source or connection that is outside.
 */
import { clientOf, own } from '@wrapup/call';
import { type Config, narrowConfig } from '@wrapup/config';
import type { RequestHandler, Response } from 'express';
import { queryOf } from '../routes/request.ts';

export interface ClientScope {
  /** Absent: the whole installation. */
  client?: string;
  /** The login is bound to the client. Else it was chosen in the address, `?client=acme`, and may be left. */
  isBound: boolean;
  /** Clients to choose from. */
  choices: readonly string[];
}

declare global {
  namespace Express {
    interface Locals {
      /** Set behind the sign-in. */
      scope?: ClientScope;
    }
  }
}

export interface ScopeParts {
  config: () => Config;
  /** Whether a client that is not in the configuration has calls. */
  hasCalls: (client: string) => Promise<boolean>;
  /** Answers a request for a client that there is not, or that is not the login's, with the status set already. */
  refuse: RequestHandler;
}

/** Sets `response.locals.scope`. */
export function setScope({ config, hasCalls, refuse }: ScopeParts): RequestHandler {
  return async (request, response, next) => {
    const bound = response.locals.identity?.principal.client;
    const asked = queryOf(request, 'client');
    const { clients } = config();
    const isThere =
      asked === undefined || (bound === undefined ? own(clients, asked) || (await hasCalls(asked)) : asked === bound);
    if (!isThere) {
      response.status(404);
      return refuse(request, response, next);
    }
    const client = bound ?? asked;
    const choices = bound === undefined ? Object.keys(clients) : [];
    response.locals.scope = { ...(client === undefined ? {} : { client }), isBound: bound !== undefined, choices };
    next();
  };
}

/** Lets a request through whose login sees the whole installation. */
export function requireWhole(refuse: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (!scopeOf(response).isBound) return next();
    response.status(403);
    refuse(request, response, next);
  };
}

/** @throws Error where no scope was set: a route must not take that for the whole installation */
export function scopeOf(response: Response): ClientScope {
  const { scope } = response.locals;
  if (!scope) throw new Error('the request has no scope');
  return scope;
}

/** Whether a source, route or connection is inside the scope. @param name in full */
export function isInScope({ client }: { client?: string | undefined }, name: string): boolean {
  return client === undefined || clientOf(name) === client;
}

/** The configuration as far as the scope goes. */
export function configOfScope(config: Config, { client }: ClientScope): Config {
  if (client === undefined) return config;
  let narrowed = NARROWED.get(config);
  if (!narrowed) {
    narrowed = new Map();
    NARROWED.set(config, narrowed);
  }
  const known = narrowed.get(client) ?? narrowConfig(config, client);
  narrowed.set(client, known);
  return known;
}

/** Leads to another page, with the client that was chosen. @param path of our own, with or without a query */
export function redirectTo(response: Response, path: string): void {
  const { client, isBound } = scopeOf(response);
  const chosen = client !== undefined && !isBound ? `client=${encodeURIComponent(client)}` : '';
  response.redirect(303, chosen ? `${path}${path.includes('?') ? '&' : '?'}${chosen}` : path);
}

const NARROWED = new WeakMap<Config, Map<string, Config>>();
