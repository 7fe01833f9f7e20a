/**
 * What is there of records that may be there already, read while their people are looked up: a call that comes again is
 * then written in the trip after that. Only what its plan says by itself can be asked for so early: not a record whose key
 * or whose fields depend on the person. Nor is one that calls of other people may mean: those write to it meanwhile.
 */
import { needsReading } from '@wrapup/mapping';
import type { PersonWrite } from '../people/person-verbs.ts';
import { doneBefore, wantedRecords } from '../plan/plan-write.ts';
import { strategyIn } from './find-keys.ts';
import type { Item, KeyStrategy, RecordReading, RecordVerbs } from './record-verbs.ts';

type Reader = Pick<RecordVerbs, 'keys' | 'sharedKey' | 'limits'>;

/** What was read longer ago is read once more, in ms: a look-up may wait for the search quota, and people work meanwhile. */
const FRESH_MS = 1000;

interface Read {
  /** Of the process's clock, when it was asked for. */
  at: number;
  strategy: KeyStrategy;
  /** Names of the fields that were read. */
  names: ReadonlySet<string>;
  reading: RecordReading;
}

const nameOf = ({ record: { object, key } }: Item) => `${object} ${key}`;

export class ReadAhead {
  readonly #read: Map<string, Read>;

  constructor(read: Iterable<[string, Read]> = []) {
    this.#read = new Map(read);
  }

  /** What is known of these items, each record once: of what is written after that it says nothing any more. */
  take(strategy: KeyStrategy, items: Item[]): Map<Item, RecordReading> {
    const known = new Map<Item, RecordReading>();
    for (const item of items) {
      const read = this.#read.get(nameOf(item));
      this.#read.delete(nameOf(item));
      const isWhole = read?.strategy === strategy && item.record.fields.every(({ name }) => read.names.has(name));
      if (read && isWhole && performance.now() - read.at < FRESH_MS) known.set(item, read.reading);
    }
    return known;
  }
}

/** Never rejects. */
export async function readAhead(crm: Reader, writes: readonly PersonWrite[]): Promise<ReadAhead> {
  const read = new Map<string, Read>();
  const readPart = async (part: Doubtful[]) => {
    const { strategy } = part[0] ?? {};
    if (!strategy) return;
    const items = part.flatMap(({ items }) => items);
    const at = performance.now();
    const readings = await strategy.read(items);
    for (const item of items) {
      const names = new Set(item.record.fields.map(({ name }) => name));
      read.set(nameOf(item), { at, strategy, names, reading: readings.get(item) ?? 'absent' });
    }
  };
  try {
    const byObject = Map.groupBy(
      writes.flatMap((write) => doubtfulOf(crm, write)),
      ({ record }) => record.object,
    );
    const doubtful = await Promise.all([...byObject].map((one) => withStrategy(crm, ...one)));
    const parts = Map.groupBy(doubtful, ({ object, strategy }) => (crm.limits.mixed ? strategy : object));
    await Promise.all([...parts.values()].map(readPart));
  } catch {
    // What was read counts.
  }
  return new ReadAhead(read);
}

/** Records of one object that may be there already. */
interface Doubtful {
  object: string;
  /** Undefined: they cannot be read so early. */
  strategy: KeyStrategy | undefined;
  items: Item[];
}

async function withStrategy(crm: Reader, object: string, items: Item[]): Promise<Doubtful> {
  const strategy = await strategyIn(crm.keys, object);
  // One that keeps other deliveries off does so before it reads.
  if (!strategy || strategy.claim) return { object, strategy: undefined, items: [] };
  const careful = items.filter(({ record }) => !strategy.upserts || needsReading(record.fields));
  return { object, strategy: careful.length > 0 ? strategy : undefined, items: careful };
}

function doubtfulOf(crm: Reader, write: PersonWrite): Item[] {
  const { plan, resolved } = write;
  if (!resolved || plan.parked || !plan.resume) return [];
  return wantedRecords(write)
    .filter((record) => !record.find && !record.own_key && crm.sharedKey?.(record) === undefined)
    .filter(({ name }) => doneBefore(plan, name) === undefined)
    .map((record) => ({ write, record, targets: [] }));
}
