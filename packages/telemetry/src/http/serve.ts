import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../observe/logger.ts';
import { ConnectionLimit } from './connection-limit.ts';

export interface ServeOptions {
  /** 0 takes any free port. */
  port: number;
  /** Address to bind; absent for all interfaces. */
  host?: string | undefined;
  /** Name of the process, for messages. */
  name: string;
  log?: Logger;
  /** Takes any free port when the wanted one is taken, and logs it, instead of failing. */
  fallbackToFreePort?: boolean;
  /** Milliseconds for a client to send its header; 10 s. */
  headersTimeout?: number;
  /** Milliseconds for a client to send header and body; 60 s. */
  requestTimeout?: number;
  /** Connections held at once; 2,000. See `ConnectionLimit` for which are closed above it. */
  maxConnections?: number | undefined;
}

export interface Served {
  /** The port it really listens on. */
  port: number;
  server: Server;
  connections: ConnectionLimit;
  /** Takes no new connections, lets requests in hand finish, then resolves; after `patience` ms it cuts what is left. */
  close(patience?: number): Promise<void>;
}

/**
 * Longer than the idle time-outs of usual load balancers (60 s), so that the balancer closes first and never sends a
 * request into a connection that is being closed here.
 */
const KEEP_ALIVE_MS = 65_000;
/** A header is one packet, and a client that needs longer for it is stuck or hostile. */
const HEADERS_MS = 10_000;
/** What 25 MB take at 3.3 Mbit/s. Until then such a client holds a connection and what came of its body. */
const REQUEST_MS = 60_000;
/** An idle one costs some 12 kB, one that sends its header up to 16 kB more. */
const MAX_CONNECTIONS = 2_000;
/** How often Node looks for clients that are too slow; its default of 30 s would make the time-outs meaningless. */
const CHECK_EVERY_MS = 1_000;

/** Listens. Slow clients are cut off. @throws Error with one clear line when the address cannot be bound */
export async function serve(app: RequestListener, options: ServeOptions): Promise<Served> {
  const { name, host, log, headersTimeout = HEADERS_MS, requestTimeout = REQUEST_MS } = options;
  const server = createServer(
    { headersTimeout, requestTimeout, keepAliveTimeout: KEEP_ALIVE_MS, connectionsCheckingInterval: CHECK_EVERY_MS },
    app,
  );
  const connections = new ConnectionLimit(server, options.maxConnections ?? MAX_CONNECTIONS);
  try {
    await listen(server, options.port, host);
  } catch (error) {
    if (!options.fallbackToFreePort || codeOf(error) !== 'EADDRINUSE') throw explain(error, options);
    await listen(server, 0, host);
    log?.info({ wanted: options.port, port: portOf(server) }, 'the usual port is taken: listening on a free one');
  }
  const port = portOf(server);
  log?.info({ port, host: host ?? 'all interfaces' }, `${name} listens`);
  return { port, server, connections, close: (patience = 10_000) => close(server, patience) };
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

const LISTEN_ERRORS: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'this user may not listen there; ports below 1024 usually need more rights',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'that name has no address',
};

function explain(error: unknown, { name, host, port }: ServeOptions): Error {
  const why = LISTEN_ERRORS[codeOf(error) ?? ''] ?? (error as Error).message;
  const variable = `${name.toUpperCase()}_PORT`;
  return new Error(
    `${name} cannot listen on ${host ?? '*'}:${port}: ${why}. Set ${variable} to another port, or to 0 for any free one.`,
    { cause: error },
  );
}

async function close(server: Server, patience: number): Promise<void> {
  // Connections that become idle only after close() would stay open for the keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const cut = setTimeout(() => server.closeAllConnections(), patience);
  try {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
