/**
 * HubSpot's own transcripts of calls: what was said turn by turn, beside the player. Only for OAuth apps.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/extensions/calling-extensions/third-party-transcripts
 *
 * No transcript can be asked for by its call, and none carries a key of ours; but the call says the id of its transcript in
 * a property of HubSpot's own. The client has no methods for them: others' requests carry them.
 */
import type { Utterance } from '@wrapup/mapping';
import type { ApiCall } from './api.ts';

/** Property of a call that holds the id of its transcript. */
export const TRANSCRIPT_ID = 'hs_call_transcription_id';
/** What receipts and previews call the object. */
export const TRANSCRIPTS = 'transcripts';
export const READ_SCOPE = 'crm.extensions_calling_transcripts.read';
export const WRITE_SCOPE = 'crm.extensions_calling_transcripts.write';

/** Never repeated on its own: a second one would stand beside the first. */
export function createTranscript(version: string, call: string, utterances: Utterance[]): ApiCall {
  const body = { engagementId: Number(call), transcriptCreateUtterances: utterances.map(toVendor) };
  return {
    name: 'create a transcript',
    writes: true,
    optional: true,
    accepts: 201,
    path: pathOf(version),
    body,
    sent: utterances.flatMap(({ text, name, email }) => [text, name, ...(email ? [email] : [])]),
    run: (client) => client.crm.objects.basicApi.create('calls', { properties: {}, associations: [] }),
  };
}

export function readTranscript(version: string, id: string): ApiCall {
  return {
    name: 'read a transcript',
    writes: false,
    optional: true,
    accepts: 200,
    path: `${pathOf(version)}/${encodeURIComponent(id)}`,
    run: (client) => client.crm.objects.basicApi.getPage('calls', 1),
  };
}

/** Deleting twice is deleting once. */
export function deleteTranscript(version: string, id: string): ApiCall {
  return {
    name: 'delete a transcript',
    writes: false,
    optional: true,
    accepts: 204,
    path: `${pathOf(version)}/${encodeURIComponent(id)}`,
    run: (client) => client.crm.objects.basicApi.archive('calls', id),
  };
}

function pathOf(version: string): string {
  return version === 'v3' ? '/crm/v3/extensions/calling/transcripts' : `/crm/extensions/calling/${version}/transcripts`;
}

/** Times are to be positive, and an end after its start. */
function toVendor({ speaker, name, email, text, start, end }: Utterance): object {
  const begins = Math.max(1, Math.round(start * 1000));
  return {
    speaker: { id: speaker, name, ...(email ? { email } : {}) },
    text,
    startTimeMillis: begins,
    endTimeMillis: Math.max(begins + 1, Math.round(end * 1000)),
  };
}
