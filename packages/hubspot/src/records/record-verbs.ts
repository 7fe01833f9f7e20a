/** HubSpot's records, as the write engine asks for them. */

import { remembered } from '@wrapup/destination';
import {
  type FieldRules,
  type Item,
  type OwnerList,
  type OwnerSource,
  type PlanReport,
  type PlanWrite,
  type RecordReading,
  type RecordVerbs,
  reportFailure,
  reportFailures,
} from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import { associate, notePrevious } from '../associations/associate.ts';
import { listOwners, MAX_BATCH, readProperty } from '../client/api.ts';
import { batchVerbs, readItems, readPages } from '../client/batches.ts';
import {
  type HubSpotAccount,
  keyProperty,
  OWNER,
  type PropertyOption,
  readSchema,
  recordUrl,
  TEXT_LIMIT,
  timestampOf,
  toOptions,
} from '../client/definitions.ts';
import type { HubSpotSettings } from '../client/settings.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { keyLadder } from '../keys/key-ladder.ts';
import { companyKey, findCompanies, rememberCompanies } from './companies.ts';
import { recordSearch } from './record-search.ts';
import { readRelated } from './related.ts';

export function recordVerbs(
  session: HubSpotSession,
  settings: Pick<HubSpotSettings, 'on_refused_field' | 'without_key'>,
  account: HubSpotAccount | undefined,
): RecordVerbs {
  const drops_fields = settings.on_refused_field === 'drop';
  return {
    session,
    limits: { rows: MAX_BATCH, mixed: false, shrinks: false },
    drops_fields,
    owner: OWNER,
    ...batchVerbs(session),
    // More than the one that is refused may be unknown. Definitions that cannot be read say nothing.
    knownFields: async (object) => {
      const schema = await readSchema(session, object).catch(() => undefined);
      return schema && schema.size > 0 ? new Set(schema.keys()) : undefined;
    },
    keys: keyLadder(session, settings.without_key === 'id_map'),
    fields: FIELD_RULES,
    urlOf: (object, id) => recordUrl(account, object, id),
    resolve: (writes, preview) =>
      preview ? resolveDispositions(session, writes, drops_fields) : resolve(session, writes, drops_fields),
    implied({ plan }, record, verb) {
      const value = verb === 'create' ? timestampOf(plan, record) : undefined;
      if (value === undefined || record.fields.some((field) => field.name === 'hs_timestamp' && field.value === value))
        return [];
      return [{ name: 'hs_timestamp', value, write: 'overwrite', at: { file: plan.mapping.name, line: 1, column: 1 } }];
    },
    requiredOf: ({ object }) => new Set([keyProperty(object), 'hs_timestamp']),
    readById: (ids) => readRecordsById(session, ids),
    readRelated: (questions) => readRelated(session, questions),
    search: recordSearch(session),
    sharedKey: companyKey,
    findShared: (items) => findCompanies(session, items),
    rememberShared: (written) => rememberCompanies(session.ctx, written),
    associate: (written) => associate(session, written),
  };
}

async function readRecordsById(
  session: HubSpotSession,
  ids: ReadonlyMap<Item, string>,
): Promise<Map<Item, RecordReading>> {
  const absent = new Map<Item, RecordReading>([...ids.keys()].map((item) => [item, 'absent']));
  // Anything but a number would fail the whole batch.
  const valid = new Map([...ids].filter(([, id]) => /^\d{1,20}$/.test(id)));
  return new Map([...absent, ...(await readItems(session, valid))]);
}

/** HubSpot takes properties as text; the empty text clears one. */
export const FIELD_RULES: FieldRules = {
  limitOf: () => TEXT_LIMIT,
  encode: (_object, _field, value) => (value === null ? '' : String(value)),
};

async function resolve(
  session: HubSpotSession,
  writes: PlanWrite[],
  drops_fields: boolean,
): Promise<{ writes: PlanWrite[]; reports: PlanReport[] }> {
  const failed = new Map(await notePrevious(session, writes));
  const resolved = await resolveDispositions(
    session,
    writes.filter((write) => !failed.has(write)),
    drops_fields,
  );
  const lost = [...failed].map(([write, failure]) => reportFailure(write, 'person', failure));
  return { writes: resolved.writes, reports: [...lost, ...resolved.reports] };
}

/*
 * Call outcomes by their label. HubSpot stores an outcome as an id (a GUID), which no salesperson knows; a mapping may
 * say the label that the account shows instead. Labels are read from the account when one is used, and remembered.
 */

const OBJECT = 'calls';
export const DISPOSITION = 'hs_call_disposition';
const KEY = 'dispositions';
/** How long labels are remembered. */
const KEPT_MS = 10 * 60_000;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Puts ids in place of labels. A label that the account does not have is left out, or parks where the policy says so. Never rejects. */
async function resolveDispositions(
  session: HubSpotSession,
  writes: PlanWrite[],
  drops_fields: boolean,
): Promise<{ writes: PlanWrite[]; reports: PlanReport[] }> {
  const asking = writes.filter(({ plan }) => plan.records.some(({ fields }) => fields.some(isLabel)));
  if (asking.length === 0) return { writes, reports: [] };
  const reports: PlanReport[] = [];
  let options: PropertyOption[];
  try {
    options = await knownOptions(
      session,
      asking.map(({ index }) => index),
    );
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    // A key that may not read properties never gets to: the log is worth more than its outcome.
    if (failure.code !== 'missing_scope' && failure.next !== 'park')
      return {
        writes: writes.filter((write) => !asking.includes(write)),
        reports: reportFailures(asking, 'call_log', failure),
      };
    options = [];
  }
  const resolve = (write: PlanWrite, record: RecordPlan): RecordPlan => {
    const fields = record.fields.flatMap((field): FieldWrite[] => {
      if (record.object !== OBJECT || !isLabel(field)) return [field];
      const value = idOf(String(field.value), options);
      if (value !== undefined) return [{ ...field, value }];
      // HubSpot's own refusal names the outcomes that there are.
      if (!drops_fields) return [field];
      reports.push({
        plan: write.index,
        note: {
          ...{ code: 'unknown_option', record: record.name, field: DISPOSITION, at: field.at },
          reason: 'the account has no such call outcome',
          hint: 'Add the call outcome in HubSpot (Settings, Objects, Calls), or change the value in the mapping; then replay.',
        },
      });
      return [];
    });
    return { ...record, fields };
  };
  const resolved = writes.map((write) => {
    if (!asking.includes(write)) return write;
    const records = write.plan.records.map((record) => resolve(write, record));
    return { ...write, plan: { ...write.plan, records } };
  });
  return { writes: resolved, reports };
}

export function isLabel({ name, value }: Pick<FieldWrite, 'name' | 'value'>): boolean {
  return name === DISPOSITION && typeof value === 'string' && value !== '' && !GUID.test(value);
}

/** Labels differ from account to account in case at most. An outcome in use comes before a hidden one of the same label. */
export function idOf(label: string, options: PropertyOption[]): string | undefined {
  const wanted = label.trim().toLowerCase();
  const same = options.filter((option) => option.label.trim().toLowerCase() === wanted || option.value === label);
  return (same.find((option) => !option.hidden) ?? same[0])?.value;
}

function knownOptions(session: HubSpotSession, plans: number[]): Promise<PropertyOption[]> {
  const read = async () => toOptions((await session.send(readProperty(OBJECT, DISPOSITION), plans)).body);
  return remembered(session.ctx, KEY, KEPT_MS, read);
}

/* Who can own records: the account’s active owners. */

/** Pages of 500 owners that are read at most. */
const MAX_PAGES = 20;

/** The account’s active owners. */
export function ownerSource(session: HubSpotSession): OwnerSource {
  return { property: OWNER, read: (plans) => readOwners(session, plans) };
}

async function readOwners(session: HubSpotSession, plans: number[]): Promise<OwnerList> {
  try {
    const { results } = await readPages(session, listOwners, plans, MAX_PAGES);
    const active = results.map(asObject).filter(({ id, archived }) => id !== undefined && archived !== true);
    return { owners: active.map(({ id, email }) => [String(id), asText(email).trim().toLowerCase()]) };
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (failure.code === 'missing_scope' || failure.next === 'park')
      return { why: `the account’s owners cannot be read (${failure.code}: add the scope crm.objects.owners.read)` };
    throw failure;
  }
}
