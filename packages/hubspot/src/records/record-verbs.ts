/** HubSpot's records, as the write engine asks for them. */
import {
  type FieldRules,
  type PlanWrite,
  type RecordVerbs,
  type Report,
  reportFailure,
} from '@wrapup/destination/engine';
import { knownProperties } from '../account/schema.ts';
import { associate } from '../associations/associate.ts';
import { notePrevious } from '../associations/previous.ts';
import { MAX_BATCH } from '../client/api.ts';
import { batchVerbs } from '../client/batch-write.ts';
import { keyLadder } from '../keys/key-ladder.ts';
import { type Account, keyProperty, OWNER, recordUrl, TEXT_LIMIT, timestampOf } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';
import type { HubSpotSettings } from '../settings.ts';
import { companyKey, findCompanies, rememberCompanies } from './companies.ts';
import { resolveDispositions } from './dispositions.ts';

export function recordVerbs(
  session: HubSpotSession,
  settings: Pick<HubSpotSettings, 'on_refused_field' | 'without_key'>,
  account: Account | undefined,
): RecordVerbs {
  const drops_fields = settings.on_refused_field === 'drop';
  return {
    session,
    limits: { rows: MAX_BATCH, mixed: false, shrinks: false },
    drops_fields,
    owner: OWNER,
    ...batchVerbs(session),
    knownFields: (object) => knownProperties(session, object),
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
    sharedKey: companyKey,
    findShared: (items) => findCompanies(session, items),
    rememberShared: (written) => rememberCompanies(session.ctx, written),
    associate: (written) => associate(session, written),
  };
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
): Promise<{ writes: PlanWrite[]; reports: Report[] }> {
  const failed = new Map(await notePrevious(session, writes));
  const resolved = await resolveDispositions(
    session,
    writes.filter((write) => !failed.has(write)),
    drops_fields,
  );
  const lost = [...failed].map(([write, failure]) => reportFailure(write, 'person', failure));
  return { writes: resolved.writes, reports: [...lost, ...resolved.reports] };
}
