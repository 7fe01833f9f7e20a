/**
 * How a record of ours is found again, in three steps of which the first that the account allows is in force. Each object
 * of an account stands on its own.
 *
 *   upsert  the unique property, by upsert. Exactly one record, whatever is lost or repeated.
 *   read    the unique property, where the account takes no upsert: read by key, create the missing. HubSpot refuses the
 *           second holder of a key and names the first, so the promise is the same; it costs one request more.
 *   map     no unique property: ids remembered outside HubSpot, a lease while creating, and the key as a line in the
 *           record, by which it is looked for among the person's own records before a creation is repeated. Weaker: two
 *           processes that share no memory can make two. Only where the connection says `without_key: id_map`; else
 *           such deliveries are parked, since `wrapup provision` mends it.
 *
 * What a refusal taught is remembered for a while, so that not every batch has to find out, and forgotten again, so that
 * an account that was mended climbs back by itself.
 */
import type { Context } from '@wrapup/destination';
import { readSchema } from './account/schema.ts';
import type { HubSpotFailure } from './errors/classify.ts';
import { keyProperty } from './objects.ts';
import type { Session } from './session.ts';

export type KeyStep = 'upsert' | 'read' | 'map';

/** Ms that a lower step is remembered. */
const KEPT = 10 * 60_000;
const keyOf = (object: string) => `key-step:${object}`;

export async function stepOf(session: Session, object: string): Promise<KeyStep> {
  const kept = await session.ctx.memory.get(keyOf(object));
  return kept === 'read' || kept === 'map' ? kept : 'upsert';
}

export async function forgetStep(ctx: Context, object: string): Promise<void> {
  await ctx.memory.delete(keyOf(object));
}

/** True for a refusal that is about the key or about upserts themselves, not about what is written. */
export function isKeyRefused(object: string, failure: HubSpotFailure): boolean {
  if (failure.code === 'missing_property')
    return failure.fields.length === 0 || failure.fields.includes(keyProperty(object));
  const status = failure.details.status;
  return failure.code === 'refused' && (status === 404 || status === 405);
}

export interface SteppedDown {
  step: KeyStep | undefined;
  absent: boolean;
}

/**
 * The step to go on with after a refusal, and whether the key property is absent altogether. `step` is undefined when
 * there is none that the connection allows.
 * @throws the failure when the account's properties cannot be read
 */
export async function stepDown(session: Session, object: string, from: KeyStep, weaker: boolean): Promise<SteppedDown> {
  const property = (await readSchema(session, object, true)).get(keyProperty(object));
  const step =
    property?.unique === true ? (from === 'upsert' ? 'read' : undefined) : weaker && from !== 'map' ? 'map' : undefined;
  if (step) await session.ctx.memory.set(keyOf(object), step, KEPT);
  return { step, absent: property === undefined };
}
