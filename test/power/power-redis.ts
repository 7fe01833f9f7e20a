/**
 * A Redis that loses power. `kill -9` alone proves nothing of that: what a process has written stays with the kernel. Here it
 * is noted how long each file was at its last completed sync (`note-syncs.c`), and after the kill all that lies beyond is
 * taken away, or damaged as a disk may leave it.
 *
 * Assumed: what was synced stays; names in the folder (a new file, a rename) are on the disk in the order in which they were
 * made, as on a file system with a journal (ext4, XFS).
 */
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findRedisServer,
  type RedisServer,
  type RedisServerCommand,
  startRedisServer,
} from '../../scripts/local-redis.mjs';
import { type Random, upTo } from '../support/random.ts';

/** What is found of the bytes that were written and not synced: none, a part, all with bits flipped, or zeros in their place. */
export const TAILS = ['gone', 'torn', 'flipped', 'zeroed'] as const;
export type Tail = (typeof TAILS)[number];

export interface PowerCut {
  tail: Tail;
  /** Bytes that were written and not synced. */
  unsynced: number;
  /** What became of the end: Redis loaded it, `trim-aof.sh` cut it off before, or Redis did not start with it, and a person took it away. */
  left: 'loaded' | 'trimmed' | 'by hand';
}

export interface PowerRedisOptions {
  /** Folder of its own. */
  dir: string;
  port: number;
  /** Of `buildShim`. Without it Redis can be killed, and not lose power. */
  shim?: string;
  /** Further settings, as redis-server's arguments. */
  args?: string[];
}

/** Longer than a process takes to start, and to load its data, on a machine that many share. */
const STARTS = 60_000;
/** By which each sync takes longer, in microseconds: about what a disk of a server takes, so that many cuts fall into one. */
const SYNC_US = 4_000;

export class PowerRedis {
  readonly #options: PowerRedisOptions;
  readonly #command: RedisServerCommand;
  readonly #log: string;
  readonly #full: string;
  #server: RedisServer;

  private constructor(options: PowerRedisOptions, command: RedisServerCommand, server: RedisServer) {
    this.#options = options;
    this.#command = command;
    this.#log = logOf(options.dir);
    this.#full = fullOf(options.dir);
    this.#server = server;
  }

  static async open(options: PowerRedisOptions): Promise<PowerRedis> {
    const found = await findRedisServer();
    const { dir, shim } = options;
    const command = shim
      ? {
          ...found,
          env: {
            ...found.env,
            LD_PRELOAD: shim,
            WRAPUP_SYNC_LOG: logOf(dir),
            WRAPUP_DISK_FULL: fullOf(dir),
            WRAPUP_SYNC_US: String(SYNC_US),
          },
        }
      : found;
    rmSync(fullOf(dir), { force: true });
    const redis = new PowerRedis(options, command, await launch(options, command));
    if (shim && redis.#synced().size === 0)
      throw new Error('the shim has noted no sync: is redis-server linked statically?');
    return redis;
  }

  get url(): string {
    return this.#server.url;
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** The file to which it appends what changes, and its bytes by now. */
  get appending(): { file: string; bytes: number } {
    const folder = join(this.#options.dir, 'appendonlydir');
    const manifest = readFileSync(join(folder, 'appendonly.aof.manifest'), 'utf8');
    const name = [...manifest.matchAll(/^file (\S+) seq \d+ type i/gm)].at(-1)?.[1] ?? '';
    const file = join(folder, name);
    return { file, bytes: statSync(file).size };
  }

  /** Resolves when the process that runs now is gone. */
  get exited(): Promise<unknown> {
    return this.#server.exited;
  }

  /** Ends it, with the child that may be rewriting its file. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { pid, exited } = this.#server;
    try {
      process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    // The server is not waited for by itself: this process would end here where nothing else keeps it.
    const waiting = setInterval(() => {}, 1_000);
    await exited;
    clearInterval(waiting);
  }

  /** Starts it on what is there, as whatever restarts a service does. */
  async start(): Promise<void> {
    this.#server = await launch(this.#options, this.#command);
  }

  /** Cuts the power, and starts it again as Wrapup does, which cuts off what is unfinished. */
  async losePower(tail: Tail, random: Random): Promise<PowerCut> {
    await this.end('SIGKILL');
    const unsynced = this.#damage(tail, random);
    const before = this.#bytes();
    try {
      await this.start();
      return { tail, unsynced, left: before > this.#bytes() ? 'trimmed' : 'loaded' };
    } catch (error) {
      // A flipped bit that made another command of one: nothing but a person repairs that, who takes the end away. The same
      // goes with `everysec`, where Redis begins the next file before the one before it is synced.
      const mayFail = tail === 'flipped' || this.#options.args?.includes('everysec');
      if (!mayFail || !/unknown command|bad file format|unexpected end/i.test((error as Error).message)) throw error;
      this.#damage('gone', random);
      await this.start();
      return { tail, unsynced, left: 'by hand' };
    }
  }

  /** While its disk is full, no write of it succeeds. */
  fillDisk(isFull: boolean): void {
    if (isFull) writeFileSync(this.#full, '');
    else rmSync(this.#full, { force: true });
  }

  #damage(tail: Tail, random: Random): number {
    const synced = this.#synced();
    let unsynced = 0;
    for (const path of filesOf(this.#options.dir)) {
      const { ino, size } = statSync(path);
      const kept = Math.min(size, synced.get(ino) ?? 0);
      if (size === kept) continue;
      unsynced += size - kept;
      if (tail === 'gone') truncateSync(path, kept);
      else if (tail === 'torn') truncateSync(path, kept + upTo(random, size - kept));
      else {
        const bytes = readFileSync(path);
        if (tail === 'zeroed') bytes.fill(0, kept + upTo(random, size - kept));
        else
          for (let flips = 1 + upTo(random, 8); flips > 0; flips -= 1) {
            const at = kept + upTo(random, size - kept);
            bytes[at] = (bytes[at] as number) ^ (1 << upTo(random, 8));
          }
        writeFileSync(path, bytes);
      }
    }
    return unsynced;
  }

  /** Bytes of each file that are known to be on the disk, by inode. */
  #synced(): Map<number, number> {
    const lines = readFileSync(this.#log, 'utf8').split('\n').slice(0, -1);
    return new Map(lines.map((line) => line.split(' ').map(Number) as [number, number]));
  }

  /** Of the files that hold commands. */
  #bytes(): number {
    const files = filesOf(this.#options.dir).filter((path) => path.endsWith('.aof') && !path.includes('temp-'));
    return files.reduce((total, path) => total + statSync(path).size, 0);
  }
}

function launch({ dir, port, args = [] }: PowerRedisOptions, server: RedisServerCommand): Promise<RedisServer> {
  return startRedisServer({ dir, port, appendonly: true, args, server, timeout: STARTS });
}

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Beside the folder, so that it is no file of Redis. */
const logOf = (dir: string) => `${dir}.syncs`;
const fullOf = (dir: string) => `${dir}.full`;
