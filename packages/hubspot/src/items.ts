/** One record of one job on its way to HubSpot: its row, its receipt, what ends it. */
import type { Failure, RecordReceipt } from '@wrapup/destination';
import type { Item, Properties } from '@wrapup/destination/delivery';
import type { Link } from './client/api.ts';
import type { HubSpotFailure } from './errors/classify.ts';
import type { Written } from './links.ts';
import { ACTIVITIES, type Account, keyProperty, linkType, recordUrl } from './objects.ts';
import type { Row, RowPolicy } from './rows.ts';
import type { Session } from './session.ts';
import { decideFields, toText } from './write-modes.ts';

/** What writing takes, whatever is written. */
export interface Writing {
  session: Session;
  policy: RowPolicy;
  account: Account | undefined;
}

/**
 * The item as a row.
 * @param current the record's values; undefined for one that is to be created, as far as is known
 */
export function rowOf({ job, record, targets }: Item, current: Properties | undefined, withLinks: boolean): Row {
  const properties: Record<string, string> = {};
  const call = { key: job.plan.key, ended_at: job.ended_at, watermark: undefined };
  for (const decision of decideFields(record.fields, current, call))
    if (decision.applies && (current !== undefined || toText(decision.field.value) !== ''))
      properties[decision.field.name] = decision.to;
  if (ACTIVITIES.has(record.object) && current === undefined) properties.hs_timestamp ??= job.plan.ended_at;
  const property = keyProperty(record.object);
  return {
    trace: `${job.index}-${record.name}`,
    key: { property, value: record.key },
    properties,
    links: withLinks ? targets.flatMap((target) => inlineLink(record.object, target)) : [],
    plans: [job.index],
    required: new Set([property, 'hs_timestamp']),
  };
}

function inlineLink(from: string, target: { object: string; id: string }): Link[] {
  const type = linkType(from, target.object);
  return type === undefined ? [] : [{ to: target.id, type }];
}

/** What is left to link after a creation with inline links: pairs of objects whose link has no number that we know. */
export function inlineRest(item: Item, receipt: RecordReceipt): Written {
  const targets = item.targets.filter((target) => linkType(item.record.object, target.object) === undefined);
  return { item: { ...item, targets }, receipt };
}

export function receiptOf(
  { record: { name, object } }: Pick<Item, 'record'>,
  id: string,
  did: RecordReceipt['did'],
  account: Account | undefined,
): RecordReceipt {
  const url = recordUrl(account, object, id);
  return { name, object, id, did, ...(url ? { url } : {}) };
}

/**
 * Without its unique key a record is not written: a repeat could not be told from a first time. A unique value that
 * stays contested after the upsert is somebody else's, and a matter for a person.
 */
export function keyMissing(failure: HubSpotFailure): Failure {
  if (failure.code === 'missing_property') return failure.with({ hint: KEY_HINT });
  return failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure;
}

export const KEY_HINT =
  'Run `wrapup provision` (or create the property by hand), then replay. Where the account refuses it for good, the connection setting `without_key: id_map` writes without it, under a weaker promise.';
