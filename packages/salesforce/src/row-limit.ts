/**
 * How many rows of an object one request may have: what the org's own triggers and flows take. Whole collections at
 * first; halved when they run into a limit, and twice as many again after each request of full size that went well.
 */
import type { Context } from '@wrapup/destination';
import { COLLECTION } from './api.ts';

/** Ms after which full collections are tried again. */
const KEPT = 60 * 60_000;

const keyOf = (object: string) => `row-limit:${object}`;

/** The smallest limit of these objects. */
export async function readRowLimit(ctx: Context, objects: string[]): Promise<number> {
  const kept = await Promise.all(objects.map((object) => ctx.memory.get(keyOf(object))));
  return Math.min(COLLECTION, ...kept.map((text) => Number(text) || COLLECTION));
}

export async function shrinkRowLimit(ctx: Context, objects: string[], rows: number): Promise<void> {
  for (const object of objects) await ctx.memory.set(keyOf(object), String(Math.max(1, rows)), KEPT);
}

/** @param rows that went through: only a full request shows that more may fit */
export async function growRowLimit(ctx: Context, objects: string[], rows: number): Promise<void> {
  for (const object of objects) {
    const kept = Number(await ctx.memory.get(keyOf(object)));
    if (!kept || rows < kept) continue;
    if (kept * 2 >= COLLECTION) await ctx.memory.delete(keyOf(object));
    else await ctx.memory.set(keyOf(object), String(kept * 2), KEPT);
  }
}
