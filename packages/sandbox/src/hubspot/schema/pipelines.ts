/**
 * Which stages belong to which pipeline, and which of them end a record's way. A stage of another pipeline is refused, and so
 * is a pipeline without a stage of its own; a record that names no pipeline is in the account's first.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide
 */

import { invalidProperties } from '../http/refusal.ts';
import type { ObjectType } from './object-types.ts';
import type { HubSpotSchema, Pipeline } from './schema.ts';

/** Properties of the objects that move through pipelines. */
export const STAGED: Record<string, { pipeline: string; stage: string }> = {
  deals: { pipeline: 'pipeline', stage: 'dealstage' },
  ...Object.fromEntries(
    ['tickets', 'leads', 'listings', 'services', 'appointments', 'courses'].map((object) => [
      object,
      { pipeline: 'hs_pipeline', stage: 'hs_pipeline_stage' },
    ]),
  ),
};

/** Stages of a fresh account whose records are closed. */
const CLOSED: Record<string, string[]> = { deals: ['closedwon', 'closedlost'], tickets: ['4'] };

/** The account's pipelines of an object; of a fresh account those that its properties offer. */
export function pipelinesOf(schema: HubSpotSchema, type: ObjectType): Pipeline[] {
  const named = STAGED[type.name];
  const own = schema.pipelines.get(type.name);
  if (own || !named) return own ?? [];
  const optionsOf = (property: string) => schema.property(type, property)?.options ?? [];
  const stages = optionsOf(named.stage).map(({ value, label }) => ({
    id: value,
    label,
    closed: CLOSED[type.name]?.includes(value) === true,
  }));
  return optionsOf(named.pipeline).map(({ value, label }) => ({ id: value, label, stages }));
}

/** Whether the record's way has ended. */
export function isClosed(schema: HubSpotSchema, type: ObjectType, values: ReadonlyMap<string, string>): boolean {
  const stage = values.get(STAGED[type.name]?.stage ?? '');
  return pipelinesOf(schema, type).some(({ stages }) => stages.some(({ id, closed }) => id === stage && closed));
}

/** @param values the record's as they would be after the write. @throws Refusal */
export function checkStage(schema: HubSpotSchema, type: ObjectType, values: ReadonlyMap<string, string>): void {
  const named = STAGED[type.name];
  const pipelines = schema.pipelines.get(type.name);
  const stage = named && values.get(named.stage);
  if (!named || !pipelines || !stage) return;
  const id = values.get(named.pipeline) || pipelines[0]?.id;
  const pipeline = pipelines.find((one) => one.id === id);
  if (!pipeline || pipeline.stages.some((one) => one.id === stage)) return;
  const allowed = pipeline.stages.map((one) => one.id).join(', ');
  throw invalidProperties([
    {
      property: named.stage,
      code: 'INVALID_OPTION',
      message: `${stage} was not one of the allowed options of pipeline ${pipeline.id}: [${allowed}]`,
    },
  ]);
}
