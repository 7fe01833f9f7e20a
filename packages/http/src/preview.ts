/** The requests that `write` would make, for a person to read. */
import { type Context, type FieldChange, type Preview, parkedBy } from '@wrapup/destination';
import type { Place } from '@wrapup/findings';
import type { Plan, RecordPlan, Value } from '@wrapup/mapping';
import { leavesOf } from './body/body-path.ts';
import { SEND } from './body/call-document.ts';
import type { HttpSettings } from './endpoint/settings.ts';
import { closedBy } from './errors/closed.ts';
import { eventOf } from './send-event.ts';

/** @throws the failure that everything would end with, or that of a plan whose mapping makes no body */
export async function previewPlans(settings: HttpSettings, plans: Plan[], ctx: Context): Promise<Preview[]> {
  const closed = await closedBy(ctx, settings);
  if (closed) throw closed;
  return plans.map((plan) => {
    const waits = parkedBy(plan);
    return {
      person: { found: 'none' },
      decision: waits ? 'park' : plan.records.length > 0 ? 'use' : 'skip',
      ...(waits ? { hint: `${waits.message} ${waits.hint ?? ''}` } : {}),
      records: plan.records.map((record) => previewEvent(settings, plan, record)),
      left_out: plan.left_out.map(({ field, reason, at }) => ({ field, reason, at })),
      requests: waits ? 0 : plan.records.length,
    };
  });
}

function previewEvent(settings: HttpSettings, plan: Plan, record: RecordPlan): Preview['records'][number] {
  const { id, body } = eventOf(plan, record);
  const send = record.fields.find(({ name }) => name === SEND)?.at;
  const fallback: Place = send ?? record.fields[0]?.at ?? { file: plan.mapping.name, line: 1, column: 1 };
  const fields = leavesOf(body).map(([field, value]): FieldChange => {
    const written = record.fields.find(({ name }) => name === field);
    return {
      field,
      from: undefined,
      to: showValue(value),
      write: 'overwrite',
      applies: true,
      at: written?.at ?? fallback,
    };
  });
  return { name: record.name, object: `${settings.method} ${new URL(settings.url).origin}`, id, did: 'create', fields };
}

function showValue(value: unknown): Value {
  const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? (value as Value) : JSON.stringify(value);
}
