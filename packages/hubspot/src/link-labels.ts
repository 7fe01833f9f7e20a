/**
 * Labels of links ("Decision maker"). A record is linked first, as without labels; the label is then set on that link. An
 * account's labels are read when one is used, and remembered. A label that the account does not have, or refuses, is left
 * out with a note: the link stands without it.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
 */
import { asObject, chunk, failJob, type Job } from '@wrapup/destination/delivery';
import { labelRecords, readLabels } from './client/api.ts';
import { asHubSpotFailure } from './errors/classify.ts';
import type { Written } from './links.ts';
import type { Session } from './session.ts';

interface Labelled {
  job: Job;
  /** Name of the record in the mapping. */
  record: string;
  from: string;
  to: string;
  label: string;
}

interface LabelType {
  label: string;
  category: string;
  type: number;
}

/** Ms that an account's labels are remembered. */
const KEPT = 10 * 60_000;
/** HubSpot's limit for links that carry types. */
const BATCH = 2000;

/** Never rejects. */
export async function labelAll(session: Session, written: Written[]): Promise<void> {
  const groups = new Map<string, Labelled[]>();
  for (const { item, receipt } of written) {
    const { job, record } = item;
    if (job.outcome) continue;
    for (const [name, label] of Object.entries(record.labels ?? {})) {
      const target = name === 'person' ? job.person && { object: 'contacts', id: job.person } : job.records.get(name);
      if (!target) continue;
      const kind = `${record.object}>${target.object}`;
      const one = { job, record: record.name, from: receipt.id, to: target.id, label };
      groups.set(kind, [...(groups.get(kind) ?? []), one]);
    }
  }
  for (const [kind, all] of groups) {
    const [from = '', to = ''] = kind.split('>');
    await labelGroup(session, from, to, all);
  }
}

async function labelGroup(session: Session, from: string, to: string, all: Labelled[]): Promise<void> {
  const plans = all.map(({ job }) => job.index);
  try {
    const types = await knownLabels(session, from, to, plans);
    const ready = all.flatMap((one) => {
      const type = types.find(({ label }) => label.toLowerCase() === one.label.trim().toLowerCase());
      if (!type) note(one, `the account has no such label between ${from} and ${to}`);
      return type ? [{ ...one, ...type, label: one.label }] : [];
    });
    for (const part of chunk(ready, BATCH)) {
      const body = asObject((await session.send(labelRecords(from, to, part), plans)).body);
      const results = Array.isArray(body.results) ? body.results.map(asObject) : [];
      const set = new Set(
        results.map(({ fromObjectId, toObjectId }) => `${String(fromObjectId)}>${String(toObjectId)}`),
      );
      for (const one of part) if (!set.has(`${one.from}>${one.to}`)) note(one, 'HubSpot did not set it');
    }
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    for (const one of all)
      if (failure.next === 'park' || failure.code === 'missing_scope') note(one, failure.message);
      else failJob(one.job, failure, one.record);
  }
}

function note({ job, record }: Labelled, why: string): void {
  job.notes.push(`${record}: a label of its links was left out: ${why}.`);
}

async function knownLabels(session: Session, from: string, to: string, plans: number[]): Promise<LabelType[]> {
  const key = `labels:${from}>${to}`;
  const kept = await session.ctx.memory.get(key);
  if (kept !== undefined) return JSON.parse(kept) as LabelType[];
  const body = asObject((await session.send(readLabels(from, to), plans)).body);
  const types = (Array.isArray(body.results) ? body.results.map(asObject) : []).flatMap(
    ({ label, category, typeId }): LabelType[] =>
      typeof label === 'string' && label !== '' ? [{ label, category: String(category), type: Number(typeId) }] : [],
  );
  await session.ctx.memory.set(key, JSON.stringify(types), KEPT);
  return types;
}
