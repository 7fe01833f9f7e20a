/**
 * Which stages belong to which pipeline. A stage of another pipeline is refused, and so is a pipeline without a stage of
 * its own; a record that names no pipeline is in the account's first.
 */

import { invalidProperties } from '../http/refusal.ts';
import type { ObjectType } from './object-types.ts';
import type { HubSpotSchema } from './schema.ts';

/** Properties of the objects that move through pipelines. */
export const STAGED: Record<string, { pipeline: string; stage: string }> = {
  deals: { pipeline: 'pipeline', stage: 'dealstage' },
  tickets: { pipeline: 'hs_pipeline', stage: 'hs_pipeline_stage' },
};

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
