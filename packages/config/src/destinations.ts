/** Opening the destinations of connections: for one piece of work, or for the life of a process. */
import { own } from '@wrapup/call';
import {
  type Context,
  type Destination,
  type DestinationKind,
  Failure,
  type Memory,
  makeMemoryCommons,
  makeMemoryContext,
  type Probe,
  type Secrets,
  WRITTEN_NOTES,
} from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import { KINDS } from './kinds.ts';
import type { Config, Connection } from './model/config.ts';

/** @throws Failure `mapping` when this version has no such kind */
function kindOf({ kind: name }: Connection): DestinationKind {
  const kind = own(KINDS, name);
  if (!kind) throw new Failure('mapping', `There is no destination of kind ${name}.`);
  return kind;
}

/** What commands and pages share with the workers. */
export interface SharedContext {
  /** Workers may hold a newer refresh token than the configuration. */
  secrets: Secrets;
  /** What workers noted of what they wrote. Absent: nothing is known of it. */
  notes?: Pick<Memory, 'get' | 'digester'>;
}

/**
 * Opens a destination, runs the work and closes it. Nothing that the work reads is remembered. The vendor's client is
 * loaded here.
 * @param work gets the destination, and makes contexts that last for the given milliseconds
 */
export async function withDestination<T>(
  connection: Connection,
  { secrets, notes }: SharedContext,
  work: (destination: Destination, context: (within: number) => Context) => Promise<T>,
): Promise<T> {
  const kind = kindOf(connection);
  const commons = makeMemoryCommons(kind.pools ?? {});
  const memory = notes ? withNotes(commons.memory, notes) : commons.memory;
  const destination = await kind.connect(connection.name, connection.settings);
  try {
    return await work(destination, (within) => makeMemoryContext(commons, { within, secrets, memory }));
  } finally {
    await destination.close();
  }
}

/** A memory of its own that knows the workers' notes and changes none. */
function withNotes(own: Memory, notes: Pick<Memory, 'get' | 'digester'>): Memory {
  const isNote = (key: string) => Object.values(WRITTEN_NOTES).some((prefix) => key.startsWith(prefix));
  return {
    get: async (key) => (await own.get(key)) ?? (isNote(key) ? notes.get(key) : undefined),
    set: (key, value, ttl) => own.set(key, value, ttl),
    delete: (key) => own.delete(key),
    digester: () => notes.digester(),
  };
}

/** A connected destination, with what its user keeps beside it. */
export interface OpenDestination<Attached> {
  destination: Destination;
  pools: DestinationKind['pools'];
  attached: Attached;
}

export interface DestinationPoolOptions<Attached> {
  /** Makes what is kept beside a destination, each time it is opened. */
  attach(connection: Connection, destination: Destination): Attached;
  /** Milliseconds for which work in hand may still use a destination that was replaced. */
  closeAfter: number;
  /** Milliseconds after which one that was not asked for is closed, when another one is. Default: never. */
  restAfter?: number;
  /** Called when a connection is opened again with other settings. */
  onReopen?(name: string): void;
}

interface PoolEntry<Attached> {
  settings: string;
  opening: Promise<OpenDestination<Attached>>;
  /** ms of the monotonic clock */
  usedAt: number;
}

/** The destinations of a process: opened on first use, and again when the settings of their connection change. */
export class DestinationPool<Attached> {
  readonly #options: DestinationPoolOptions<Attached>;
  readonly #open = new Map<string, PoolEntry<Attached>>();
  /** When unused ones were last looked for: ms of the monotonic clock. */
  #lookedAt = 0;

  constructor(options: DestinationPoolOptions<Attached>) {
    this.#options = options;
  }

  /** Connections that are open. */
  get names(): string[] {
    return [...this.#open.keys()];
  }

  /** @throws Failure `mapping` for an unknown kind, or what the adapter throws; the next call tries again */
  get(connection: Connection): Promise<OpenDestination<Attached>> {
    const { name } = connection;
    const settings = JSON.stringify([connection.kind, connection.settings]);
    const current = this.#open.get(name);
    const usedAt = performance.now();
    if (current?.settings === settings) {
      current.usedAt = usedAt;
      return current.opening;
    }
    this.#closeUnused();
    if (current) {
      this.#closeLater(current);
      this.#options.onReopen?.(name);
    }
    const entry = { settings, opening: this.#connect(connection), usedAt };
    this.#open.set(name, entry);
    entry.opening.catch(() => {
      if (this.#open.get(name) === entry) this.#open.delete(name);
    });
    return entry.opening;
  }

  /**
   * For work that comes seldom: uses the destination where it is open, and otherwise opens it for this work alone.
   * @throws what `get` and the work throw
   */
  async once<T>(connection: Connection, work: (open: OpenDestination<Attached>) => Promise<T>): Promise<T> {
    if (this.#open.has(connection.name)) return work(await this.get(connection));
    const opening = this.#connect(connection);
    try {
      return await work(await opening);
    } finally {
      await close(opening);
    }
  }

  #closeUnused(): void {
    const { restAfter } = this.#options;
    const now = performance.now();
    if (restAfter === undefined || now - this.#lookedAt < restAfter / 10) return;
    this.#lookedAt = now;
    for (const [name, entry] of this.#open) {
      if (now - entry.usedAt < restAfter) continue;
      this.#open.delete(name);
      this.#closeLater(entry);
    }
  }

  #closeLater({ opening }: PoolEntry<Attached>): void {
    setTimeout(() => void close(opening), this.#options.closeAfter).unref();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ opening }) => close(opening)));
    this.#open.clear();
  }

  async #connect(connection: Connection): Promise<OpenDestination<Attached>> {
    const kind = kindOf(connection);
    const destination = await kind.connect(connection.name, connection.settings);
    return { destination, pools: kind.pools, attached: this.#options.attach(connection, destination) };
  }
}

async function close(opening: Promise<{ destination: Destination }>): Promise<void> {
  await opening.then(({ destination }) => destination.close()).catch(() => {});
}

/** Mappings of routes that write to a connection, each once. */
export function mappingsOf({ routes }: Pick<Config, 'routes'>, connection: string): CompiledMapping[] {
  const mappings = routes.filter(({ to }) => to === connection).map(({ mapping }) => mapping);
  return [...new Map(mappings.map((mapping) => [mapping.hash + mapping.name, mapping])).values()];
}

/** What the account of a connection answers about itself, and about the mappings that write to it. */
export interface Examination extends Probe {
  findings: Finding[];
}

/**
 * Asks the account whether its credentials work, and whether it has what the mappings need: what `wrapup doctor` and the set-up
 * page say. Writes nothing.
 * @param onProbe called with the first answer: the second question may fail
 * @throws Failure when it does not answer
 */
export async function examineConnection(
  destination: Destination,
  context: () => Context,
  mappings: CompiledMapping[],
  onProbe: (probe: Probe) => void = () => {},
): Promise<Examination> {
  const probe = await destination.probe(context());
  onProbe(probe);
  return { ...probe, findings: await destination.check(mappings, context()) };
}
