/** Pipelines of an object, to read. https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide */
import { type HubSpotEndpoint, type HubSpotRequest, ok, paths, typeOf } from '../http/endpoint.ts';
import { pipelinesOf } from '../schema/pipelines.ts';
import type { Pipeline } from '../schema/schema.ts';

const SINCE = '2024-01-15T09:00:00Z';

type Stage = Pipeline['stages'][number];

/** What HubSpot keeps of a stage beside its name, as texts. */
function metadataOf(object: string, { id, closed }: Stage): Record<string, string> {
  if (object === 'tickets') return { ticketState: closed ? 'CLOSED' : 'OPEN' };
  return { isClosed: String(closed), probability: closed ? (/lost/i.test(id) ? '0.0' : '1.0') : '0.5' };
}

function list(call: HubSpotRequest) {
  const type = typeOf(call);
  const times = { createdAt: SINCE, updatedAt: SINCE, archived: false };
  const results = pipelinesOf(call.account.schema, type).map(({ id, label, stages }, displayOrder) => ({
    ...{ id, label, displayOrder },
    stages: stages.map((stage, order) => ({
      ...{ id: stage.id, label: stage.label, displayOrder: order },
      metadata: metadataOf(type.name, stage),
      writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
      ...times,
    })),
    ...times,
  }));
  return ok({ results });
}

export const pipelineEndpoints: HubSpotEndpoint[] = [
  {
    method: 'GET',
    paths: paths('v3', 'pipelines', '/:object'),
    operation: 'pipelines',
    scopes: (call) => [...typeOf(call).scopes.read, ...typeOf(call).scopes.schemaRead],
    handle: list,
  },
];
