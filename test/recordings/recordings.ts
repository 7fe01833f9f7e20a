/**
 * Recorded answers of the vendors, one exchange a line, in the folder that WRAPUP_RECORDINGS names. `wrapup doctor --record`
 * and the live scripts write files of the same form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORMS, type Forms } from '@wrapup/sandbox';

export interface RecordedAnswer {
  status: number;
  /** In lower case; empty where they were lost on the way. */
  headers: Record<string, string>;
  body: unknown;
}

export interface Recording {
  id: string;
  vendor: 'hubspot' | 'salesforce';
  /** Method and path without what belongs to single records. */
  api: string;
  year: number;
  /** `recorded` by a recorder, headers and all; `edited` by hand or a proxy; `handwritten`. */
  trust: 'recorded' | 'edited' | 'handwritten';
  request: { method: string; path: string; query?: Record<string, string> | null; body?: unknown };
  response: RecordedAnswer;
  note?: string;
}

export const RECORDINGS_FOLDER = process.env.WRAPUP_RECORDINGS || undefined;

/** Of the versions of the API that the project speaks: HubSpot's before v3 are none. */
export function readRecordings(vendor: Recording['vendor']): Recording[] {
  if (RECORDINGS_FOLDER === undefined) return [];
  const folder = RECORDINGS_FOLDER;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recording)
    .filter((recording) => recording.vendor === vendor && !/\/v[12]\//.test(recording.api))
    .map((recording) => ({
      ...recording,
      response: { ...recording.response, headers: recording.response.headers ?? {} },
    }));
}

/** The forms that the answer is to be held against. */
export function formsOf({ year }: Recording): Forms {
  return FORMS.find((forms) => year <= forms) ?? 2026;
}

/** What one comparison is about: the same request with the same outcome, in the forms of one time. */
function classOf(recording: Recording): string {
  const api = recording.api
    .replace('/services/data/v{version}', '')
    .replace(/(\/properties\/\w+\/)(?!batch|groups)\w+/, '$1{name}')
    .replace(/(\/groups\/)\w+/, '$1{name}')
    .replace(OTHER_SOBJECT, '$1{Other}')
    .replace(/(\/sobjects\/[^/]+\/)(?!describe|Id\/|Email\/)\w+(?=\/\{value\})/, '$1{field}')
    .replace(OTHER_OBJECT, '$1{other}');
  return `${recording.vendor} ${api} ${recording.response.status} (${formsOf(recording)})`;
}

const OTHER_SOBJECT =
  /(^\w+ \/sobjects\/)(?!(?:Account|Campaign|Contact|ContentVersion|Lead|PermissionSetAssignment|Topic|User)\b)\w+/;
const OTHER_OBJECT =
  /(\/objects\/)(?!(?:companies|contacts|deals|meetings|notes|products|tasks|tickets)\b)\w+(?=\/search)/;

export function byClass(recordings: Recording[]): Map<string, Recording[]> {
  const classes = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const name = classOf(recording);
    classes.set(name, [...(classes.get(name) ?? []), recording]);
  }
  return classes;
}
