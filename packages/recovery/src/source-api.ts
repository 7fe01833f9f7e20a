import type { Source } from '@wrapup/config';
import { type ApiOptions, type Ask, SynthflowApi } from '@wrapup/synthflow';

/** A source whose API cannot be read. */
export class SourceError extends Error {
  override name = 'SourceError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Returns the API client of a source; the caller closes it. @throws SourceError without an API key */
export function openApi(source: Source, options: Pick<ApiOptions, 'timeout' | 'attempts' | 'base'> = {}): SynthflowApi {
  if (source.api_key === undefined) {
    throw new SourceError(
      `Source ${source.name} has no api_key.`,
      'Create one in Synthflow under Settings > API Keys and give it to api_key of the source.',
    );
  }
  return new SynthflowApi({
    region: source.region,
    base_url: source.base_url,
    api_key: source.api_key,
    workspace_id: source.workspace_id,
    ...options,
  });
}

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
