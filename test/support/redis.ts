/** Real Redis servers for tests: one that all tests share, and private ones to kill, freeze and restart. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type RedisServer, type RedisServerCommand, startRedisServer } from '../../scripts/local-redis.mjs';
import { PATIENCE } from './patience.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    redisServer: RedisServerCommand;
  }
}

/** The server that the whole run shares. Keeps nothing; use it with `freshPrefix()`, and never flush it. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** A value for `WRAPUP_PREFIX` that no other test uses. */
export function freshPrefix(): string {
  return `t-${randomBytes(6).toString('hex')}`;
}

export interface PrivateRedis {
  /** The same for its whole life. */
  readonly url: string;
  readonly port: number;
  /** Its files. */
  readonly dir: string;
  /** Of the server that runs now; changes with `restart()`. */
  readonly pid: number;
  /** Ends it as a power cut would (SIGKILL), and waits until it is gone. */
  kill(): Promise<void>;
  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port with the same data; ends it first, cleanly, when it still runs. */
  restart(): Promise<void>;
  /** Ends it and removes its data. To be called in any case, twice does no harm. */
  stop(): Promise<void>;
}

export interface PrivateRedisOptions {
  /** AOF, synced on every write. Default true. */
  appendonly?: boolean;
  /** Further arguments of redis-server, such as `['--maxmemory', '2mb']`. */
  args?: string[];
}

export async function startRedis({ appendonly = true, args = [] }: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-redis-'));
  const server = inject('redisServer');
  const start = (port: number) => startRedisServer({ dir, port, appendonly, args, server, timeout: PATIENCE });

  let running: RedisServer = await start(0);
  const { url, port } = running;
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(running.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    send(signal);
    send('SIGCONT');
    await running.exited;
  };
  return {
    url,
    port,
    dir,
    get pid() {
      return running.pid;
    },
    kill: () => end('SIGKILL'),
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    async restart() {
      await end('SIGTERM');
      running = await start(port);
    },
    async stop() {
      await end('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
