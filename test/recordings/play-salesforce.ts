/**
 * The equivalent of a recorded request to Salesforce. Objects and fields that the sandbox does not have are custom ones of
 * the same name there, and are called by their own in the answer.
 */
import type { RunningSandbox } from '@wrapup/sandbox';
import { formsOf, type RecordedAnswer, type Recording } from './recordings.ts';
import { type KnownObjects, ReplayOrg, ROOT, type Row } from './replay-org.ts';
import { send } from './send.ts';

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<RecordedAnswer>;

export async function playSalesforce(
  sandbox: RunningSandbox,
  known: KnownObjects,
  recording: Recording,
): Promise<RecordedAnswer> {
  sandbox.control.reset({ provisioned: false });
  sandbox.control.settings({
    salesforce: {
      forms: formsOf(recording),
      search_lag: 0,
      race_window: 0,
      duplicate_rules: 'off',
      oldest_version: 20,
    },
  });
  const org = new ReplayOrg(sandbox, known);
  const ask: Ask = (method, path, body, headers = {}) =>
    send(`${sandbox.salesforceUrl}${path}`, method, body, {
      authorization: `Bearer ${sandbox.salesforce.token()}`,
      ...headers,
    });
  const api = recording.api.replace('/services/data/v{version}', '');
  const play = PLAYS.find(
    ([pattern, status]) => pattern.test(api) && (status === undefined || status === recording.response.status),
  );
  return org.named(await (play?.[2] ?? asRecorded)({ sandbox, org, ask, recording, root: rootOf(recording) }));
}

interface Play {
  sandbox: RunningSandbox;
  org: ReplayOrg;
  ask: Ask;
  recording: Recording;
  root: string;
}

function rootOf({ request: { path } }: Recording): string {
  return /^\/services\/data\/v\d+\.0/.exec(path)?.[0] ?? ROOT;
}

const LEAD = { LastName: 'Alder', Company: 'A' };

/** What each kind of recording needs; the first that fits. */
const PLAYS: [api: RegExp, status: number | undefined, play: (play: Play) => Promise<RecordedAnswer>][] = [
  [/oauth2\/token/, 200, ({ sandbox }) => token(sandbox, 'sandbox-refresh')],
  [/oauth2\/token/, 400, ({ sandbox }) => token(sandbox, 'another')],
  [
    /./,
    401,
    ({ ask, root }) => ask('GET', `${root}/query?q=SELECT Id FROM Lead`, undefined, { authorization: 'Bearer none' }),
  ],
  [
    /./,
    403,
    ({ sandbox, ask, root }) => {
      sandbox.control.settings({ salesforce: { limits: { daily: 0 } } });
      return ask('GET', `${root}/query?q=SELECT Id FROM Lead`);
    },
  ],
  [/\/query\/\{locator\}/, 200, readOn],
  [/^GET \/query(All)?$/, 200, query],
  [
    /^GET \/query$/,
    400,
    ({ ask, root, recording }) =>
      ask(
        'GET',
        `${root}/query?q=${encodeURIComponent(
          /invalid ID field/.test(JSON.stringify(recording.response.body))
            ? "SELECT Id FROM Contact WHERE (Id = 'none') LIMIT 1"
            : 'SELECT Id,Name FROM Nothing',
        )}`,
      ),
  ],
  [/^DELETE \/composite\/sobjects/, 200, deleteRows],
  [/^DELETE \/sobjects\/\w+\/\w+\/\{value\}/, 404, ({ ask, root }) => ask('DELETE', `${root}/sobjects/Lead/Nothing/x`)],
  [/^PATCH \/sobjects\/\w+\/\w+\/\{value\}/, 300, severalOfOneId],
  [
    /^PATCH \/sobjects\/\w+\/\w+\/\{value\}/,
    404,
    ({ ask, root }) => ask('PATCH', `${root}/sobjects/Lead/Nothing/x`, {}),
  ],
  [/^GET \/search$/, 400, ({ ask, root }) => ask('GET', `${root}/search?q=FIND Acme`)],
  [/parameterizedSearch/, 200, ({ ask, root }) => ask('GET', `${root}/parameterizedSearch?q=Acme&sobject=Account`)],
  [/^(DELETE|GET) \/sobjects\/\w+\/\{id\}/, 404, onDeleted],
  [/^GET \/sobjects\/\w+\/(\{id\}|Id\/\{value\})/, 200, readOne],
  [/^DELETE \/sobjects\/\w+\/\{id\}/, 204, onOne],
  [/^PATCH \/sobjects\/\w+\/(Id\/)?\{(id|value)\}/, undefined, onOne],
  [/^PATCH \/composite\/sobjects$/, 200, updateRows],
  [/^(POST|PATCH) \/composite\/sobjects/, undefined, createRows],
  [/^POST \/composite$/, 200, composite],
  [/^POST \/sobjects\/(PermissionSetAssignment|ContentVersion)/, undefined, createRefused],
  [/^POST \/sobjects\/\w+$/, 404, ({ ask, root }) => ask('POST', `${root}/sobjects/Nothing`, {})],
  [/^POST \/sobjects\/\w+$/, undefined, createOne],
];

/** Requests that need nothing but an org. */
function asRecorded({ ask, recording: { request } }: Play): Promise<RecordedAnswer> {
  const query = new URLSearchParams(request.query ?? {}).toString();
  return ask(request.method, query ? `${request.path}?${query}` : request.path, request.body ?? undefined);
}

async function token(sandbox: RunningSandbox, refresh_token: string): Promise<RecordedAnswer> {
  const form = {
    grant_type: 'refresh_token',
    client_id: 'sandbox-consumer-key',
    client_secret: 'sandbox-consumer-secret',
    refresh_token,
  };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return send(`${sandbox.salesforceUrl}/services/oauth2/token`, 'POST', new URLSearchParams(form).toString(), headers);
}

/** The same fields of the same object, without the conditions: what they found is all that there is. */
function query({ org, ask, recording, root }: Play): Promise<RecordedAnswer> {
  const { records, totalSize, done } = recording.response.body as { records: Row[]; totalSize: number; done: boolean };
  const soql = decodeURIComponent(recording.request.query?.q ?? '');
  const { type: answered = '' } = (records[0]?.attributes ?? {}) as { type?: string };
  const object = /FROM\s+(\w+)/i.exec(soql)?.[1] ?? answered;
  const fields = records.length > 0 ? Object.keys(records[0] ?? {}).filter((name) => name !== 'attributes') : ['Id'];
  org.seed(object, records);
  const headers: Record<string, string> = done ? {} : { 'sforce-query-options': 'batchSize=200' };
  if (!done)
    org.seed(
      object,
      Array.from({ length: 200 }, () => records[0] ?? {}),
    );
  const shown = fields.filter((name) => org.has(object, name)).map((name) => org.nameOf(object, name));
  const named = recording.api.endsWith('All') ? 'queryAll' : 'query';
  const limit = done && totalSize > 0 ? ` LIMIT ${records.length}` : '';
  return ask(
    'GET',
    `${root}/${named}?q=${encodeURIComponent(`SELECT ${shown.join(', ')} FROM ${org.objectOf(object)}${limit}`)}`,
    undefined,
    headers,
  );
}

async function readOn(play: Play): Promise<RecordedAnswer> {
  const { records } = play.recording.response.body as { records: Row[] };
  const body = { records, totalSize: records.length, done: false };
  const first = await query({
    ...play,
    recording: { ...play.recording, api: 'GET /query', response: { ...play.recording.response, body } },
  });
  const { nextRecordsUrl } = first.body as { nextRecordsUrl: string };
  return play.ask('GET', nextRecordsUrl, undefined, { 'sforce-query-options': 'batchSize=2000' });
}

function deleteRows({ org, ask, recording, root }: Play): Promise<RecordedAnswer> {
  const rows = recording.response.body as { id: string }[];
  const ids = rows.map(() => org.seed('Account', [{ Name: 'A' }])[0]);
  return ask('DELETE', `${root}/composite/sobjects?ids=${ids.join(',')}&allOrNone=false`);
}

async function severalOfOneId({ sandbox, ask, root }: Play): Promise<RecordedAnswer> {
  const field = { name: 'External__c', external_id: true };
  sandbox.control.seed({
    salesforce: {
      fields: { Lead: [field] },
      records: {
        Lead: [
          { ...LEAD, External__c: 'x' },
          { ...LEAD, External__c: 'x' },
        ],
      },
    },
  });
  return ask('PATCH', `${root}/sobjects/Lead/External__c/x`, { Company: 'B' });
}

function objectIn(path: string): string {
  return /\/sobjects\/(\w+)/.exec(path)?.[1] ?? '';
}

function onDeleted({ org, ask, recording: { request }, root }: Play): Promise<RecordedAnswer> {
  const object = objectIn(request.path);
  const [id] = org.seed(object, [{ Name: 'A', LastName: 'A', IsDeleted: true }]);
  return ask(request.method, `${root}/sobjects/${object}/${id}`);
}

async function readOne({ org, ask, recording: { request, response }, root }: Play): Promise<RecordedAnswer> {
  const object = objectIn(request.path);
  const [id] = org.seed(object, [response.body as Row]);
  return ask('GET', `${root}/sobjects/${object}/${/\/Id\//.test(request.path) ? 'Id/' : ''}${id}`);
}

function onOne({ sandbox, org, ask, recording: { request, response }, root }: Play): Promise<RecordedAnswer> {
  const object = objectIn(request.path);
  const said = JSON.stringify(response.body);
  const [id] = org.seed(object, [{ Name: 'A', LastName: 'A', Company: 'A' }]);
  const body = /MasterRecordId/.test(said)
    ? { MasterRecordId: id }
    : request.body
      ? org.row(object, request.body as Row)
      : undefined;
  if (/UNABLE_TO_LOCK_ROW/.test(said))
    sandbox.control.fault({
      api: 'salesforce',
      kind: 'row_error',
      message: `unable to obtain exclusive access to this record or 1 records: ${String(id).slice(0, 15)}`,
    });
  const query = new URLSearchParams(request.query ?? {}).toString();
  const path = /\/Id\//.test(request.path) ? `Id/${id}` : /\/Email\//.test(request.path) ? 'Email/new@example.com' : id;
  return ask(
    request.method,
    `${root}/sobjects/${object}/${path}${query ? `?${query}` : ''}`,
    body ?? (request.method === 'PATCH' ? {} : undefined),
  );
}

type Answered = { id?: string; success: boolean; errors: { statusCode: string; message: string; fields: string[] }[] };

function updateRows({ org, ask, recording: { request, response }, root }: Play): Promise<RecordedAnswer> {
  const answers = response.body as Answered[];
  const given = request.body as { records: Row[]; allOrNone: boolean } | null;
  const records = answers.map((answer, at): Row => {
    const { attributes, id: _id, ...fields } = given?.records[at] ?? { attributes: { type: 'Contact' }, LastName: 'A' };
    const { type } = attributes as { type: string };
    const code = answer.errors[0]?.statusCode;
    const known: Row = {
      Name: 'A',
      LastName: 'A',
      Company: 'A',
      ...(code === 'CANNOT_UPDATE_CONVERTED_LEAD' && { IsConverted: true }),
    };
    const id = code === 'INVALID_CROSS_REFERENCE_KEY' ? `${org.prefix(type)}gK0000000zzz` : org.seed(type, [known])[0];
    const [error] = answer.errors;
    const label = /^(.*): invalid email address/.exec(error?.message ?? '')?.[1];
    const row = org.row(type, fields, label === undefined ? {} : { [error?.fields[0] ?? '']: label });
    return {
      attributes: { type: org.objectOf(type) },
      ...(code !== 'MISSING_ARGUMENT' && { id }),
      ...row,
      ...(code === 'INVALID_FIELD' && { unknownField: 'x' }),
    };
  });
  const allOrNone = answers.some(({ errors }) => errors[0]?.statusCode === 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
  return ask('PATCH', `${root}/composite/sobjects`, { allOrNone, records });
}

function createRows({ sandbox, org, ask, recording: { request, response, api }, root }: Play): Promise<RecordedAnswer> {
  const { records = [], allOrNone = false } = (request.body ?? {}) as { records?: Row[]; allOrNone?: boolean };
  if (/DUPLICATES_DETECTED/.test(JSON.stringify(response.body))) {
    sandbox.control.settings({ salesforce: { duplicate_rules: 'alert' } });
    org.seed('Account', [{ Name: 'Twin', Phone: '+14155550100' }]);
    const rows = [
      { attributes: { type: 'Account' }, Name: 'Twin', Phone: '+14155550100' },
      { attributes: { type: 'Contact' }, LastName: 'A' },
    ];
    return ask('POST', `${root}/composite/sobjects`, { allOrNone, records: rows });
  }
  if (api.endsWith('/Account/Id')) return ask('PATCH', `${root}/composite/sobjects/Account/Id`, { allOrNone, records });
  const rows = records.map(({ attributes, ...fields }) => {
    const { type } = attributes as { type: string };
    return { attributes: { type: org.objectOf(type) }, ...org.row(type, fields) };
  });
  return ask('POST', `${root}/composite/sobjects`, { allOrNone, records: rows });
}

/** The recorded one describes, the one of the reference meets a duplicate. */
function composite(play: Play): Promise<RecordedAnswer> {
  const { sandbox, org, ask, recording, root } = play;
  if (recording.request.body) return asRecorded(play);
  sandbox.control.settings({ salesforce: { duplicate_rules: 'alert' } });
  org.seed('Account', [{ Name: 'Twin', Phone: '+14155550100' }]);
  const rows = [
    { attributes: { type: 'Account' }, Name: 'Other' },
    { attributes: { type: 'Account' }, Name: 'Twin', Phone: '+14155550100' },
  ];
  const url = `${root}/composite/sobjects`;
  const compositeRequest = [
    { method: 'POST', url, referenceId: 'collection1', body: { allOrNone: false, records: rows } },
    { method: 'POST', url: `${root}/sobjects/Lead`, referenceId: 'refused', body: { Nowhere__c: 1 } },
    { method: 'POST', url: `${root}/sobjects/Lead`, referenceId: 'next', body: LEAD },
  ];
  return ask('POST', `${root}/composite`, { allOrNone: true, compositeRequest });
}

async function createRefused({ sandbox, ask, recording: { request }, root }: Play): Promise<RecordedAnswer> {
  const object = objectIn(request.path);
  if (object === 'ContentVersion') {
    sandbox.control.fault({ api: 'salesforce', kind: 'row_error' });
    return ask('POST', `${root}/sobjects/Lead`, LEAD);
  }
  const { PermissionSet: [set] = [] } = sandbox.control.seed({
    salesforce: { records: { PermissionSet: [{ Name: 'A', Label: 'A' }] } },
  });
  const body = { AssigneeId: sandbox.salesforce.userId, PermissionSetId: set };
  await ask('POST', `${root}/sobjects/PermissionSetAssignment`, body);
  return ask('POST', `${root}/sobjects/PermissionSetAssignment`, body);
}

function createOne({ sandbox, org, ask, recording: { request, response }, root }: Play): Promise<RecordedAnswer> {
  const object = objectIn(request.path);
  const said = JSON.stringify(response.body);
  const path = `${root}/sobjects/${org.objectOf(object)}`;
  if (/DUPLICATES_DETECTED/.test(said)) {
    sandbox.control.settings({ salesforce: { duplicate_rules: 'alert' } });
    org.seed('Contact', [{ LastName: 'Alder', Email: 'ada@example.com' }]);
    return ask('POST', path, { LastName: 'Alder', Email: 'ada@example.com' });
  }
  const school = { name: 'School__c', label: 'Organization', type: 'reference' as const, reference_to: ['Account'] };
  if (/CROSS_REFERENCE|MALFORMED_ID/.test(said)) {
    sandbox.control.seed({ salesforce: { fields: { [object]: [school] } } });
    const gone = `${org.prefix('Account')}gK0000000zzz`;
    return ask('POST', path, { ...LEAD, School__c: /MALFORMED_ID/.test(said) ? '0010v0000000001ZZZ' : gone });
  }
  if (response.status === 400) return ask('POST', path, { Name: 'A', Nothing__c: 'x' });
  return ask('POST', path, org.row(object, (request.body ?? { Name: 'A' }) as Row));
}
