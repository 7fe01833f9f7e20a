/**
 * How many rows of an object one request may have: what the account's own automation takes. Whole requests at first;
 * halved when they run into a limit, and twice as many again after each request of full size that succeeded.
 */
import type { Context } from '../../port/context.ts';

/** After so long full requests are tried again. */
const KEPT_MS = 60 * 60_000;

const keyOf = (object: string) => `row-limit:${object}`;

/** The smallest limit of these objects. @param most rows that the CRM takes at all */
export async function readRowLimit(ctx: Context, objects: string[], most: number): Promise<number> {
  const kept = await Promise.all(objects.map((object) => ctx.memory.get(keyOf(object))));
  return Math.min(most, ...kept.map((text) => Number(text) || most));
}

export async function shrinkRowLimit(ctx: Context, objects: string[], rows: number): Promise<void> {
  for (const object of objects) await ctx.memory.set(keyOf(object), String(Math.max(1, rows)), KEPT_MS);
}

/** @param rows that went through: only a full request shows that more may fit */
export async function growRowLimit(ctx: Context, objects: string[], rows: number, most: number): Promise<void> {
  for (const object of objects) {
    const kept = Number(await ctx.memory.get(keyOf(object)));
    if (!kept || rows < kept) continue;
    if (kept * 2 >= most) await ctx.memory.delete(keyOf(object));
    else await ctx.memory.set(keyOf(object), String(kept * 2), KEPT_MS);
  }
}
