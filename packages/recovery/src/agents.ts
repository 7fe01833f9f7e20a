import type { Source } from '@wrapup/config';
import type { Ask, SynthflowApi } from '@wrapup/synthflow';

export interface AgentRef {
  id: string;
  name?: string;
}

/**
 * Agents whose calls are looked for, by id: those of the workspace, and those that the configuration names, which may
 * have been deleted after their last call.
 * @throws SynthflowApiError
 */
export async function findAgents(api: SynthflowApi, source: Source, ask: Ask): Promise<AgentRef[]> {
  const agents = new Map<string, AgentRef>();
  for (const [id, { name }] of Object.entries(source.agents)) agents.set(id, { id, ...(name && { name }) });
  for await (const { model_id, name } of api.listAgents(ask)) {
    agents.set(model_id, { id: model_id, ...(name && { name }), ...agents.get(model_id) });
  }
  return [...agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
