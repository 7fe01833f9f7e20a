/**
 * Transcripts of calls, for OAuth apps.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/extensions/calling-extensions/third-party-transcripts
 */
import { bodyOf, type Call, DATE_VERSIONS, type Endpoint, noContent, ok } from '../endpoint.ts';
import type { StoredRecord } from '../records.ts';
import { invalid, notFound, Refusal } from '../refusal.ts';
import type { Transcript, Utterance } from '../transcripts.ts';

const paths = (rest = '') => [
  `/crm/v3/extensions/calling/transcripts${rest}`,
  ...DATE_VERSIONS.map((date) => `/crm/extensions/calling/${date}/transcripts${rest}`),
];

/** What is wrong with a body, by the path of what is wrong, as the vendor tells it here. */
type Problems = Record<string, string[]>;

function create(call: Call) {
  const { account } = call;
  const { engagementId, transcriptCreateUtterances, ...rest } = bodyOf(call);
  const problems: Problems = {};
  for (const name of Object.keys(rest)) problems[name] = ['is not known'];
  if (engagementId === undefined || engagementId === null) problems.engagementId = ['must not be null'];
  // The specification says a whole number, the guide a text.
  else if (!/^\d+$/.test(String(engagementId))) problems.engagementId = ['must be a number'];
  const utterances = readUtterances(transcriptCreateUtterances, problems);
  if (Object.keys(problems).length > 0)
    throw invalid('Invalid input: see the context for what is wrong', { context: problems });
  const record = callOf(call, String(engagementId));
  const added = account.journal.during(call.n, () => {
    const transcript = account.transcripts.add(record.id, utterances);
    account.journal.add({
      effect: 'created',
      object: 'transcripts',
      id: transcript.id,
      to: { object: 'calls', id: record.id },
    });
    tellCall(call, record);
    return transcript;
  });
  return ok({ id: added.id });
}

/** The engagement must be a call; of the API's other ids none is. @throws Refusal */
function callOf({ account }: Call, id: string): StoredRecord {
  const record = account.records.get(account.schema.type('calls'), id);
  if (record) return record;
  throw new Refusal(`Engagement with id ${id} was not found`, {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    context: { engagementId: [id] },
  });
}

function readUtterances(given: unknown, problems: Problems): Omit<Utterance, 'id'>[] {
  if (!Array.isArray(given) || given.length === 0) {
    problems.transcriptCreateUtterances = ['must not be empty'];
    return [];
  }
  return given.map((item, index) => readUtterance(item, `transcriptCreateUtterances[${index}]`, problems));
}

const KNOWN = ['speaker', 'text', 'languageCode', 'startTimeMillis', 'endTimeMillis'];

function readUtterance(given: unknown, at: string, problems: Problems): Omit<Utterance, 'id'> {
  const item = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const demand = (isRight: boolean, path: string, what: string) => {
    if (!isRight) problems[`${at}.${path}`] = [what];
  };
  const { speaker, text, languageCode, startTimeMillis: start, endTimeMillis: end } = item;
  for (const name of Object.keys(item)) demand(KNOWN.includes(name), name, 'is not known');
  const who = (typeof speaker === 'object' && speaker !== null ? speaker : {}) as Record<string, unknown>;
  demand(isText(who.id), 'speaker.id', 'must not be null');
  demand(isText(who.name), 'speaker.name', 'must not be null');
  demand(who.email === undefined || isText(who.email), 'speaker.email', 'must be a text');
  demand(isText(text), 'text', 'must not be null');
  demand(languageCode === undefined || isText(languageCode), 'languageCode', 'must be a text');
  demand(isPositive(start), 'startTimeMillis', 'must be a positive number');
  demand(isPositive(end), 'endTimeMillis', 'must be a positive number');
  if (isPositive(start) && isPositive(end))
    demand(end > start, 'endTimeMillis', 'must be greater than startTimeMillis');
  return {
    speaker: { id: String(who.id), name: String(who.name), ...(isText(who.email) && { email: who.email }) },
    text: String(text),
    languageCode: isText(languageCode) ? languageCode : 'en-US',
    startTimeMillis: Number(start),
    endTimeMillis: Number(end),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isPositive = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

function transcriptOf({ account, params }: Call): Transcript {
  const found = account.transcripts.get(params.id ?? '');
  if (!found) throw notFound(params.id ?? '');
  return found;
}

function read(call: Call) {
  const { id, call: engagement, utterances, createdAt } = transcriptOf(call);
  return ok({
    id,
    engagementId: Number(engagement),
    transcriptSource: 'INTEGRATOR_GENERATED',
    transcriptUtterances: utterances,
    createdAt,
    updatedAt: createdAt,
  });
}

function remove(call: Call) {
  const { account } = call;
  const transcript = transcriptOf(call);
  account.journal.during(call.n, () => {
    account.transcripts.remove(transcript.id);
    account.journal.add({ effect: 'archived', object: 'transcripts', id: transcript.id });
    const record = account.records.get(account.schema.type('calls'), transcript.call);
    if (record) tellCall(call, record);
  });
  return noContent();
}

/** The call says which transcript it shows: the latest. */
function tellCall({ account }: Call, record: StoredRecord): void {
  const id = account.transcripts.of(record.id).at(-1)?.id ?? '';
  account.records.note(record, { hs_call_transcription_id: id, hs_call_has_transcript: String(id !== '') });
}

const scopes = (kind: 'read' | 'write') => () => [`crm.extensions_calling_transcripts.${kind}`];

export const transcriptEndpoints: Endpoint[] = [
  {
    method: 'POST',
    paths: paths(),
    operation: 'transcript create',
    isForApps: true,
    scopes: scopes('write'),
    handle: create,
  },
  {
    method: 'GET',
    paths: paths('/:id'),
    operation: 'transcript read',
    isForApps: true,
    scopes: scopes('read'),
    handle: read,
  },
  {
    method: 'DELETE',
    paths: paths('/:id'),
    operation: 'transcript delete',
    isForApps: true,
    scopes: scopes('write'),
    handle: remove,
  },
];
