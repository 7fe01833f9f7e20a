/** Answers that come in pages. Neither their order nor that it stays the same from page to page is promised. */
import { isObject, own } from '@wrapup/call';
import { SynthflowApiError } from './failure.ts';

export interface Page<Item> {
  items: Item[];
  /** Items in all, when the answer says so. */
  total?: number;
}

type Item = { [key: string]: unknown };

/** @param key `calls`, `assistants`, `items` */
export function readPage(answer: unknown, key: string, what: string): Page<Item> {
  const response = own(answer, 'response');
  const list = own(response, key) ?? (Array.isArray(response) ? response : undefined);
  if (!Array.isArray(list)) {
    throw new SynthflowApiError('unreadable', `Synthflow's answer to ${what} holds no list of ${key}.`);
  }
  const count = own(own(response, 'pagination'), 'total_records') ?? own(response, 'total');
  const total = Number.isSafeInteger(count) ? (count as number) : undefined;
  return { items: list.filter(isObject), ...(total === undefined ? {} : { total }) };
}

export interface Walk<Item> {
  /** @param done items of earlier pages, repeated ones included */
  page(done: number, number: number): Promise<Page<Item>>;
  /** Identifies an item; items without a key are skipped. */
  key(item: Item): string | undefined;
}

/** Passes over all pages, at most, to find items that moved to a page that had been read. */
const MAX_PASSES = 3;

/**
 * Every item once. While fewer were seen than the API counts, the pages are read again: records that come in meanwhile
 * push others from one page to the next.
 * @returns whether as many were seen as the API counts
 */
export async function* walkPages<Item>({ page, key }: Walk<Item>): AsyncGenerator<Item, boolean> {
  const seen = new Set<string>();
  for (let pass = 1; ; pass++) {
    let total: number | undefined;
    for (let done = 0, number = 1; ; number++) {
      const { items, total: count } = await page(done, number);
      total = count ?? total;
      const before = seen.size;
      for (const item of items) {
        const name = key(item);
        if (name === undefined || seen.has(name)) continue;
        seen.add(name);
        yield item;
      }
      done += items.length;
      if (items.length === 0 || (total !== undefined && done >= total)) break;
      // A server that ignores the offset says the same for ever.
      if (total === undefined && seen.size === before) break;
    }
    const complete = total === undefined || seen.size >= total;
    if (complete || pass >= MAX_PASSES) return complete;
  }
}
