import type { Source } from '@wrapup/config';
import { type ApiOptions, SynthflowApi } from '@wrapup/synthflow';

/** A source that cannot be asked about its calls. */
export class SourceError extends Error {
  override name = 'SourceError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** The API that a source names. To be closed. @throws SourceError without an API key */
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
