import { jsonOrText } from '../../packages/call/src/index.ts';
import type { RecordedAnswer } from './recordings.ts';

/** One request as any program could make it. A text is sent as it is, anything else as JSON. */
export async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<RecordedAnswer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && typeof body !== 'string' && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' ? null : jsonOrText(text),
  };
}
