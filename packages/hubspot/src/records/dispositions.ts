/**
 * Call outcomes by their label. HubSpot stores an outcome as an id (a GUID), which no salesperson knows; a mapping may
 * say the label that the account shows instead. Labels are read from the account when one is used, and remembered.
 */
import { type PlanWrite, type Report, reportFailure } from '@wrapup/destination/engine';
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import { type Option, toOptions } from '../account/schema.ts';
import { readProperty } from '../client/api.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import type { HubSpotSession } from '../session.ts';

const OBJECT = 'calls';
export const DISPOSITION = 'hs_call_disposition';
const KEY = 'dispositions';
/** How long labels are remembered. */
const KEPT_MS = 10 * 60_000;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Puts ids in place of labels. A label that the account does not have is left out, or parks where the policy says so. Never rejects. */
export async function resolveDispositions(
  session: HubSpotSession,
  writes: PlanWrite[],
  drops_fields: boolean,
): Promise<{ writes: PlanWrite[]; reports: Report[] }> {
  const asking = writes.filter(({ plan }) => plan.records.some(({ fields }) => fields.some(isLabel)));
  if (asking.length === 0) return { writes, reports: [] };
  const reports: Report[] = [];
  let options: Option[];
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
        reports: asking.map((write) => reportFailure(write, 'call_log', failure)),
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
      const note = `${record.name}.${DISPOSITION} was left out: the account has no call outcome as ${field.at.file}:${field.at.line} says.`;
      reports.push({ plan: write.index, note });
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
export function idOf(label: string, options: Option[]): string | undefined {
  const wanted = label.trim().toLowerCase();
  const same = options.filter((option) => option.label.trim().toLowerCase() === wanted || option.value === label);
  return (same.find((option) => !option.hidden) ?? same[0])?.value;
}

async function knownOptions(session: HubSpotSession, plans: number[]): Promise<Option[]> {
  const kept = await session.ctx.memory.get(KEY);
  if (kept !== undefined) return JSON.parse(kept) as Option[];
  const options = toOptions((await session.send(readProperty(OBJECT, DISPOSITION), plans)).body);
  await session.ctx.memory.set(KEY, JSON.stringify(options), KEPT_MS);
  return options;
}
