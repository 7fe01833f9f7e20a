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
 * an account that was repaired climbs back by itself.
 */
import type { Failure } from '@wrapup/destination';
import type { Item, KeyLadder, KeyStrategy, Reading } from '@wrapup/destination/engine';
import { readMany } from '../client/batches.ts';
import { readSchema } from '../client/definitions.ts';
import { keyProperty } from '../client/objects.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure, type HubSpotFailure } from '../errors/classify.ts';
import { idMap } from './id-map.ts';

export type HubSpotKeyStep = 'upsert' | 'read' | 'map';

/** How long a lower step is remembered. */
const KEPT_MS = 10 * 60_000;
const memoryKey = (object: string) => `key-step:${object}`;

export async function stepOf({ ctx }: HubSpotSession, object: string): Promise<HubSpotKeyStep> {
  const kept = await ctx.memory.get(memoryKey(object));
  return kept === 'read' || kept === 'map' ? kept : 'upsert';
}

/** True for a refusal that is about the key or about upserts themselves, not about what is written. */
export function isKeyRefused(object: string, { code, fields, details }: HubSpotFailure): boolean {
  if (code === 'missing_property') return fields.length === 0 || fields.includes(keyProperty(object));
  return code === 'refused' && (details.status === 404 || details.status === 405);
}

export interface KeyStepDown {
  /** Undefined when there is none that the connection allows. */
  step: HubSpotKeyStep | undefined;
  /** True: the account has no such property at all, so that no request which carried it can have succeeded. */
  absent: boolean;
}

/** The step to go on with after a refusal. @throws the failure when the account's properties cannot be read */
export async function stepDown(
  session: HubSpotSession,
  object: string,
  from: HubSpotKeyStep,
  weaker: boolean,
): Promise<KeyStepDown> {
  const property = (await readSchema(session, object, true)).get(keyProperty(object));
  const lower = property?.unique === true ? from === 'upsert' && 'read' : weaker && from !== 'map' && 'map';
  if (lower) await session.ctx.memory.set(memoryKey(object), lower, KEPT_MS);
  return { step: lower || undefined, absent: property === undefined };
}

/** @param weaker records may be written without a unique key */
export function keyLadder(session: HubSpotSession, weaker: boolean): KeyLadder {
  const steps: Record<HubSpotKeyStep, KeyStrategy> = {
    upsert: uniqueKey(session, true),
    read: uniqueKey(session, false),
    map: idMap(session),
  };
  return {
    strategyFor: async (object) => steps[await stepOf(session, object)],
    isKeyRefused: (object, failure) => isKeyRefused(object, asHubSpotFailure(failure)),
    async stepDown(object, from) {
      const step = (Object.keys(steps) as HubSpotKeyStep[]).find((name) => steps[name] === from) ?? 'map';
      // The refusal itself says more than that the definitions cannot be read.
      const next = await stepDown(session, object, step, weaker).catch(() => undefined);
      return next?.step && steps[next.step];
    },
    explain: explainRefusal,
  };
}

/** The unique property: the account refuses a second record with its value. */
function uniqueKey(session: HubSpotSession, upserts: boolean): KeyStrategy {
  return {
    upserts,
    keyed: (row) => row,
    async read(items) {
      const readings = new Map<Item, Reading>();
      for (const [object, all] of Map.groupBy(items, ({ record }) => record.object)) {
        const { found, failed } = await readMany(session, {
          object,
          ids: all.map(({ record }) => record.key),
          by: keyProperty(object),
          properties: propertiesOf(all),
          plansOf: (key) => all.filter(({ record }) => record.key === key).map(({ write }) => write.index),
        });
        for (const item of all)
          readings.set(item, failed.get(item.record.key) ?? found.get(item.record.key) ?? 'absent');
      }
      return readings;
    },
  };
}

export function propertiesOf(items: Item[]): string[] {
  return [...new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)))];
}

/**
 * Without its unique key nothing is written: a repeat could not be distinguished from a first time. A unique value that stays
 * contested is another record's, and a matter for a person.
 */
export function explainRefusal(failure: Failure): Failure {
  if (failure.code === 'missing_property') return failure.with({ hint: KEY_HINT });
  return failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure;
}

const KEY_HINT =
  'Run `wrapup provision` (or create the property by hand), then replay. Where the account refuses it for good, the connection setting `without_key: id_map` writes without it, under a weaker promise.';
