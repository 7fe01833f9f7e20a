/** What a source's workspace looks like from here. Reads only: a change of an agent would make a new version of it. */
import type { Source } from '@wrapup/config';
import { type Ask, type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { type Answer, answerQuestions } from './open-questions.ts';
import { type Pointing, whereTo } from './pointing.ts';
import type { Trouble } from './runs.ts';

export interface AgentPointing {
  id: string;
  name?: string;
  type?: string;
  post_call: Pointing;
  inbound_call: Pointing;
}

export interface Discovery {
  source: string;
  agents: AgentPointing[];
  /** Absent without `workspace_id`, or when the logs could not be read. */
  evidence?: Evidence;
  answers: Answer[];
  troubles: Trouble[];
}

export interface DiscoverOptions {
  api: SynthflowApi;
  source: Source;
  /** Names of all sources of the installation. */
  sources: string[];
  /** How far back webhook logs are looked at, ms. */
  look_back: number;
  signal: AbortSignal;
  onProgress?(what: string): void;
}

/** @throws SynthflowApiError when not even the agents can be listed */
export async function discover({
  api,
  source,
  sources,
  look_back,
  signal,
  onProgress,
}: DiscoverOptions): Promise<Discovery> {
  const ask: Ask = { signal };
  const agents: AgentPointing[] = [];
  onProgress?.('agents');
  for await (const { model_id, name, type, external_webhook_url, inbound_call_webhook_url } of api.listAgents(ask)) {
    agents.push({
      id: model_id,
      ...(name && { name }),
      ...(type && { type }),
      post_call: whereTo(external_webhook_url, 'post-call', source, sources),
      inbound_call: whereTo(inbound_call_webhook_url, 'inbound-call', source, sources),
    });
  }
  const found: Discovery = { source: source.name, agents, answers: [], troubles: [] };
  if (source.workspace_id === undefined) {
    const message = 'Without workspace_id the webhook logs cannot be read.';
    const hint = 'Synthflow shows it in the address of the workspace; give it to workspace_id of the source.';
    found.troubles.push({ code: 'no-workspace', message, hint });
    return found;
  }
  onProgress?.('webhook logs');
  try {
    const since = Date.now() - look_back;
    found.evidence = await gatherEvidence({ api, source, agents: agents.map(({ id }) => id), ask, since });
    found.answers = answerQuestions(found.evidence);
  } catch (error) {
    if (!(error instanceof SynthflowApiError)) throw error;
    const { code, message, hint } = error;
    found.troubles.push({ code, message, ...(hint ? { hint } : {}) });
  }
  return found;
}
