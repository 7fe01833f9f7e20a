/**
 * Agents that look at the address itself when they open a socket.
 *
 * A name is resolved once, here, and the socket is given the addresses that were looked at: a name that points somewhere
 * else a moment later gains nothing by it. Node resolves no name where the host is an address already, so that case is
 * decided apart. No proxy stands in between: the address that it would connect to could not be checked.
 */
import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AllowPrivate, refusalOf } from '../endpoint/address-policy.ts';

export interface Resolved {
  address: string;
  family: number;
}
/** All addresses of a name, in the order to try them. */
export type Resolve = (host: string) => Promise<Resolved[]>;

/** Asks the system, hosts file included. */
export const resolveBySystem: Resolve = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** No address of the host may be connected to. */
export class AddressRefused extends Error {
  override name = 'AddressRefused';
  readonly code = 'ADDRESS_REFUSED';
  readonly address: string;
  /** What the address is: `a private network`. */
  readonly is: string;

  constructor(address: string, is: string) {
    super(`the address is ${is}`);
    this.address = address;
    this.is = is;
  }
}

/**
 * The addresses of a host that may be connected to, at least one.
 * @throws AddressRefused when there is none; the resolver's error when the name does not resolve
 */
export async function permittedAddresses(host: string, allowed: AllowPrivate, resolve: Resolve): Promise<Resolved[]> {
  const family = isIP(host);
  const addresses = family > 0 ? [{ address: host, family }] : await resolve(host);
  const permitted = addresses.filter(({ address }) => refusalOf(address, allowed) === undefined);
  if (permitted.length > 0) return permitted;
  const [first] = addresses;
  if (!first) throw Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' });
  throw new AddressRefused(first.address, refusalOf(first.address, allowed) ?? 'refused');
}

export interface Agents {
  http: http.Agent;
  https: https.Agent;
  destroy(): void;
}

/** Idle sockets are closed before most servers do it, so that few requests meet a closing one. */
const IDLE_MS = 4_000;

/** As axios sets it for each request: where the agent sets another one between them, each costs two system calls. */
const KEEP_ALIVE_MS = 60_000;

export function makeAgents(allowed: AllowPrivate, resolve: Resolve = resolveBySystem): Agents {
  const lookup: LookupFunction = (host, options, done) => {
    permittedAddresses(host, allowed, resolve).then(
      (addresses) => {
        const [first] = addresses as [Resolved, ...Resolved[]];
        if (options.all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, timeout: IDLE_MS, lookup };
  const agents = { http: new GuardedHttpAgent(options, allowed), https: new GuardedHttpsAgent(options, allowed) };
  return {
    ...agents,
    destroy() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

type Done = (error: Error | null, socket: Duplex) => void;
type Options = { host?: string | null | undefined };

/** What must not be connected to although no name is resolved. */
function refuseLiteral({ host }: Options, allowed: AllowPrivate): AddressRefused | undefined {
  if (!host || isIP(host) === 0) return undefined;
  const is = refusalOf(host, allowed);
  return is === undefined ? undefined : new AddressRefused(host, is);
}

class GuardedHttpAgent extends http.Agent {
  readonly #allowed: AllowPrivate;

  constructor(options: http.AgentOptions, allowed: AllowPrivate) {
    super(options);
    this.#allowed = allowed;
  }

  override createConnection(options: http.ClientRequestArgs, done?: Done): Duplex | null | undefined {
    const refused = refuseLiteral(options, this.#allowed);
    if (!refused) return super.createConnection(options, done);
    done?.(refused, undefined as never);
    return undefined;
  }
}

class GuardedHttpsAgent extends https.Agent {
  readonly #allowed: AllowPrivate;

  constructor(options: https.AgentOptions, allowed: AllowPrivate) {
    super(options);
    this.#allowed = allowed;
  }

  override createConnection(options: https.RequestOptions, done?: Done): Duplex | null | undefined {
    const refused = refuseLiteral(options, this.#allowed);
    if (!refused) return super.createConnection(options, done);
    done?.(refused, undefined as never);
    return undefined;
  }
}
