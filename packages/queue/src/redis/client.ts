import { Cluster, Redis } from 'ioredis';
import { fixClusterDisconnect, fixRedisDisconnect } from './ioredis-disconnect-fix.ts';
import { joinWrites } from './join-writes.ts';

export type RedisClient = Redis | Cluster;

/** Ms to the next try; grows to 2 s, so that work resumes within seconds of Redis being back. */
const retryStrategy = (tries: number) => Math.min(100 * 2 ** tries, 2000);

/**
 * For processes that answer a request (ingress, dashboard, CLI): every command settles within `commandTimeout`, also
 * while Redis is down, frozen or restarting, and works again afterwards.
 */
const PRODUCER = {
  enableOfflineQueue: false,
  // Storing the largest body (25 MB) with an fsync takes some 300 ms on a busy machine of two cores.
  commandTimeout: 700,
  // A command that timed out stays in the connection with its payload until Redis answers or the connection ends: while
  // Redis is frozen or cut off, everything that is refused would pile up there. Idle connections are left alone.
  socketTimeout: 1000,
  connectTimeout: 2000,
  maxRetriesPerRequest: 0,
};

/** For workers: commands wait for Redis to come back, as BullMQ demands of blocking connections. */
const WORKER = { enableOfflineQueue: true, maxRetriesPerRequest: null, connectTimeout: 5000 };

/** Where Redis is, and whose certificates are trusted there. */
export interface RedisAddress {
  /**
   * `redis://` or `rediss://`; a comma-separated list of those: nodes of a cluster; or
   * `sentinel://[user:password@]host:port,…/<master name>` (`sentinels://`: all of it over TLS).
   */
  url: string;
  /** Certificate authorities in PEM that are trusted instead of the usual ones, for addresses over TLS. */
  ca?: string;
}

/**
 * Opens a connection.
 *
 * @param role `producer` fails fast, `worker` waits
 * @param onError called for connection errors; without a listener they would end the process
 * @throws Error when the address cannot be read
 */
export function openRedis(
  { url, ca }: RedisAddress,
  role: 'producer' | 'worker',
  onError: (error: Error) => void,
): RedisClient {
  const options = role === 'producer' ? PRODUCER : WORKER;
  const client = openClient(url.trim(), options, ca === undefined ? {} : { ca });
  client.on('error', onError);
  return role === 'worker' ? joinWrites(client) : client;
}

type Tls = { ca?: string };

function openClient(url: string, options: typeof PRODUCER | typeof WORKER, tls: Tls): RedisClient {
  if (/^sentinels?:/i.test(url)) return openSentinel(url, options, tls);
  const nodes = url
    .split(',')
    .map((node) => node.trim())
    .filter(Boolean);
  if (nodes.length > 1) return openCluster(nodes, options, tls);
  const secure = nodes[0]?.startsWith('rediss:') ? { tls } : {};
  return fixRedisDisconnect(new Redis(nodes[0] ?? url, { ...options, ...secure, retryStrategy }));
}

function openCluster(nodes: string[], options: typeof PRODUCER | typeof WORKER, tls: Tls): Cluster {
  const first = new URL(nodes[0] as string);
  const startup = nodes.map((node) => {
    const { hostname, port } = new URL(node);
    return { host: hostname, port: Number(port || 6379) };
  });
  return fixClusterDisconnect(
    new Cluster(startup, {
      clusterRetryStrategy: retryStrategy,
      enableOfflineQueue: options.enableOfflineQueue,
      redisOptions: {
        ...options,
        ...credentials(first),
        ...(first.protocol === 'rediss:' ? { tls } : {}),
      },
    }),
  );
}

/** The address of a group of sentinels: not what URL parsers read, as it names several hosts. */
const SENTINEL = /^(sentinels?):\/\/(?:([^@/]*)@)?([^/]+)\/([^/]+)$/i;

function openSentinel(url: string, options: typeof PRODUCER | typeof WORKER, tls: Tls): Redis {
  const [, scheme, secret = '', hosts = '', name] = SENTINEL.exec(url) ?? [];
  if (!name) {
    throw new Error('REDIS_URL: sentinels are written as sentinel://host:26379,host:26379/<name of the master>');
  }
  const sentinels = hosts.split(',').map((text) => {
    const { hostname, port } = new URL(`redis://${text.trim()}`);
    return { host: hostname, port: Number(port || 26379) };
  });
  const own = credentials(new URL(`redis://${secret}@host`));
  const client = new Redis({
    ...options,
    ...own,
    ...(own.password === undefined ? {} : { sentinelPassword: own.password }),
    ...(scheme?.toLowerCase() === 'sentinels' ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    sentinels,
    name: decodeURIComponent(name),
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
  });
  return fixRedisDisconnect(client);
}

function credentials({ username, password }: URL): { username?: string; password?: string } {
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}

/** Names of keys that match a pattern, on every master of a cluster. Reads all keys: not for frequent use. */
export async function* scanKeys(redis: RedisClient, pattern: string): AsyncGenerator<string> {
  for (const node of 'nodes' in redis ? redis.nodes('master') : [redis]) {
    let cursor = '0';
    do {
      const [next, names] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
      cursor = next;
      yield* names;
    } while (cursor !== '0');
  }
}

/**
 * A Lua script that Redis runs as one step. Loaded on first use, again after a restart of Redis.
 * All keys carry the installation's hash tag, so it runs on a cluster too.
 */
export function defineScript<Result>(name: string, lua: string) {
  return (redis: RedisClient, keys: string[], args: (string | number | Buffer)[]): Promise<Result> =>
    runScript<Result>(redis, name, () => lua, keys, args);
}

/** @param lua called once per client, for scripts that are composed */
export function runScript<Result>(
  redis: RedisClient,
  name: string,
  lua: () => string,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<Result> {
  const client = redis as unknown as Record<string, (...args: unknown[]) => Promise<Result>>;
  if (typeof client[name] !== 'function') redis.defineCommand(name, { lua: lua() });
  return (client[name] as (...args: unknown[]) => Promise<Result>).call(redis, keys.length, ...keys, ...args);
}

/** Resolves when Redis answers; rejects after `within` ms. */
export function waitForRedis(redis: RedisClient, within: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', ready);
      reject(new Error(`Redis did not answer within ${within} ms`));
    }, within);
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', ready);
  });
}
