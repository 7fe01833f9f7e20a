/**
 * What a write is sure to ask of memory, asked all at once when it begins: one after the other, each is a round trip to
 * Redis. Each answer is given once. Who asks a second time wants to know what has become of it meanwhile, and so does who
 * asks after it was written.
 */
import type { Plan } from '@wrapup/mapping';
import type { Memory } from '../port/context.ts';
import { OWNERS_MEMORY } from './owners/owners.ts';
import { personMemoryNames } from './people/person-cache.ts';
import { recordMemory } from './rows/written-values.ts';

export class MemoryAhead implements Memory {
  readonly #memory: Memory;
  readonly #asked: Map<string, Promise<string | undefined>>;

  /** @param names what is asked at once */
  constructor(memory: Memory, names: Iterable<string>) {
    this.#memory = memory;
    this.#asked = new Map([...new Set(names)].map((name) => [name, memory.get(name)]));
    // It fails those that ask for it; what is not asked for is no failure.
    for (const answer of this.#asked.values()) answer.catch(() => {});
  }

  get(key: string): Promise<string | undefined> {
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    return asked ?? this.#memory.get(key);
  }

  set(key: string, value: string, ttl: number | 'ledger'): Promise<void> {
    this.#asked.delete(key);
    return this.#memory.set(key, value, ttl);
  }

  delete(key: string): Promise<void> {
    this.#asked.delete(key);
    return this.#memory.delete(key);
  }

  digester(): Promise<(value: string) => string> {
    return this.#memory.digester();
  }
}

/** What the engine is sure to ask of memory about these plans. Records that other calls can mean are asked for in their turn. */
export function memoriesOfPlans(plans: readonly Plan[]): string[] {
  return plans.flatMap(({ person, records, needs, chosen }) => {
    const own = records.filter(({ find, own_key }) => !find && !own_key);
    const isOwned = needs.length > 0 || person?.owner || records.some(({ owner }) => owner);
    return [
      ...(isOwned ? [OWNERS_MEMORY] : []),
      ...(chosen?.length ? [] : personMemoryNames(person?.match.slice(0, 1) ?? [])),
      ...own.map(recordMemory),
    ];
  });
}
