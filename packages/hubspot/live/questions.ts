/** What no page of HubSpot's documentation settles, asked of a real account one by one. */
import { brief, idOf, type Raw, type RawAnswer } from './raw.ts';

export interface Question {
  asks: string;
  /** What the sandbox answers: where an account answers otherwise, a rule of the sandbox is wrong. */
  sandbox: RegExp;
  /** @param made notes records to archive afterwards: object, id */
  answer(raw: Raw, run: string, made: (object: string, id: string | undefined) => void): Promise<string>;
}

const now = () => new Date().toISOString();
const batch = (object: string, verb: string) => `/crm/objects/{v}/${object}/batch/${verb}`;

function upsert(raw: Raw, object: string, property: string, value: string, properties: object): Promise<RawAnswer> {
  const input = {
    id: value,
    idProperty: property,
    objectWriteTraceId: value,
    properties: { ...properties, [property]: value },
  };
  return raw.post(batch(object, 'upsert'), { inputs: [input] });
}

export const QUESTIONS: Question[] = [
  {
    asks: 'Where do the details of refused properties stand: of a record, of a batch, of a row of an upsert?',
    sandbox: /^record in the message and in errors; batch in the message and in errors; row in the message$/,
    async answer(raw, run, made) {
      const properties = { hs_timestamp: now(), [`no_such_${run}`]: 'x' };
      const record = await raw.post('/crm/objects/{v}/calls', { properties });
      const whole = await raw.post(batch('calls', 'create'), { inputs: [{ properties }] });
      const row = await upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:details`, { hs_timestamp: 'no time' });
      for (const answer of [record, whole, row]) if (answer.status < 300) made('calls', idOf(answer));
      const [error] = Array.isArray(row.body.errors) ? row.body.errors : [];
      return `record ${detailsOf(record.body)}; batch ${detailsOf(whole.body)}; row ${detailsOf(error)}`;
    },
  },
  {
    asks: 'What is said of a link to a contact that was deleted?',
    sandbox: /^207 VALIDATION_ERROR, no subCategory, no context, CONTACT=… is not valid$/,
    async answer(raw, run, made) {
      const contact = await raw.post('/crm/objects/{v}/contacts', { properties: { firstname: `Live ${run}` } });
      const call = await raw.post('/crm/objects/{v}/calls', { properties: { hs_timestamp: now() } });
      made('calls', idOf(call));
      await raw.archive('contacts', idOf(contact) ?? '');
      const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 194 }];
      const inputs = [{ from: { id: idOf(call) }, to: { id: idOf(contact) }, types }];
      const answer = await raw.post('/crm/associations/{v}/calls/contacts/batch/create', { inputs });
      const [error] = Array.isArray(answer.body.errors) ? answer.body.errors : [];
      const { subCategory = 'no subCategory', context, message } = (error ?? {}) as Record<string, unknown>;
      return [brief(answer), subCategory, context ? 'a context' : 'no context', withoutIds(message)].join(', ');
    },
  },
  {
    asks: 'Do calls and tasks take batch/upsert by a custom unique property? Can a contact be made by one, with neither address nor name?',
    sandbox:
      /^call: 200, repeated 200, the same record; task: 200; contact without address and name: 207 VALIDATION_ERROR$/,
    async answer(raw, run, made) {
      const first = await upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:q1`, { hs_timestamp: now() });
      const again = await upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:q1`, { hs_call_title: 'Again' });
      const task = { hs_timestamp: now(), hs_task_subject: 'Live' };
      const tasks = await upsert(raw, 'tasks', 'wrapup_key', `live:${run}:q1`, task);
      const contact = await upsert(raw, 'contacts', 'wrapup_key', `person:live-${run}-q1`, {});
      made('calls', idOf(first));
      made('tasks', idOf(tasks));
      made('contacts', idOf(contact));
      const same = idOf(first) !== undefined && idOf(first) === idOf(again);
      return `call: ${brief(first)}, repeated ${brief(again)}, ${same ? 'the same record' : 'not the same record'}; task: ${brief(tasks)}; contact without address and name: ${brief(contact)}`;
    },
  },
  {
    asks: 'Do upserts of one new key at once make one record?',
    sandbox: /^[1-8] of 8 succeeded, 1 record$/,
    async answer(raw, run, made) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:race`, { hs_timestamp: now() }),
        ),
      );
      const ids = answers.map((answer) => idOf(answer)).filter((id) => id !== undefined);
      for (const id of new Set(ids)) made('calls', id);
      return `${ids.length} of 8 succeeded, ${new Set(ids).size} record${new Set(ids).size === 1 ? '' : 's'}`;
    },
  },
  {
    asks: 'What does a creation say whose unique value another record has?',
    sandbox: /^400 VALIDATION_ERROR: names the record that has it$/,
    async answer(raw, run, made) {
      const properties = { hs_timestamp: now(), wrapup_call_id: `live:${run}:unique` };
      const first = await raw.post('/crm/objects/{v}/calls', { properties });
      const second = await raw.post('/crm/objects/{v}/calls', { properties });
      for (const answer of [first, second]) if (answer.status < 300) made('calls', idOf(answer));
      const isNamed = String(second.body.message).includes(idOf(first) ?? 'none');
      return `${brief(second)}: ${isNamed ? 'names' : 'does not name'} the record that has it`;
    },
  },
  {
    asks: 'Does an archived call free its unique value, and what does an upsert do then?',
    sandbox: /^200: a new record$/,
    async answer(raw, run, made) {
      const key = `live:${run}:q7`;
      const first = await upsert(raw, 'calls', 'wrapup_call_id', key, { hs_timestamp: now() });
      const id = idOf(first);
      made('calls', id);
      if (id === undefined) return `could not be asked: ${brief(first)}`;
      await raw.archive('calls', id);
      const again = await upsert(raw, 'calls', 'wrapup_call_id', key, { hs_timestamp: now() });
      made('calls', idOf(again));
      const what =
        idOf(again) === undefined ? 'no record' : idOf(again) === id ? 'the archived record' : 'a new record';
      return `${brief(again)}: ${what}`;
    },
  },
  {
    asks: 'What does batch/associate/default answer, with and without a bad row?',
    sandbox: /^good 200, 2 results; with a bad one 200, 2 results, 1 error$/,
    async answer(raw, run, made) {
      const contact = await raw.post('/crm/objects/{v}/contacts', { properties: { firstname: `Live ${run}` } });
      const call = await raw.post('/crm/objects/{v}/calls', { properties: { hs_timestamp: now() } });
      made('contacts', idOf(contact));
      made('calls', idOf(call));
      const input = (id: string | undefined) => ({ from: { id: idOf(call) }, to: { id } });
      const link = (ids: (string | undefined)[]) =>
        raw.post('/crm/associations/{v}/calls/contacts/batch/associate/default', { inputs: ids.map(input) });
      const good = await link([idOf(contact)]);
      const bad = await link([idOf(contact), '1']);
      const count = (value: unknown) => (Array.isArray(value) ? value.length : 0);
      return `good ${good.status}, ${count(good.body.results)} results; with a bad one ${bad.status}, ${count(bad.body.results)} results, ${count(bad.body.errors)} error`;
    },
  },
  {
    asks: 'What is said to an association type that is none, and to a creation that links to nothing?',
    sandbox: /^type 400 VALIDATION_ERROR; creation 400 VALIDATION_ERROR$/,
    async answer(raw, run, made) {
      const contact = await raw.post('/crm/objects/{v}/contacts', { properties: { firstname: `Live ${run}` } });
      const call = await raw.post('/crm/objects/{v}/calls', { properties: { hs_timestamp: now() } });
      made('contacts', idOf(contact));
      made('calls', idOf(call));
      const types = (id: number) => [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: id }];
      const inputs = [{ from: { id: idOf(call) }, to: { id: idOf(contact) }, types: types(4) }];
      const type = await raw.post('/crm/associations/{v}/calls/contacts/batch/create', { inputs });
      const associations = [{ to: { id: '1' }, types: types(194) }];
      const creation = await raw.post('/crm/objects/{v}/calls', { properties: { hs_timestamp: now() }, associations });
      if (creation.status < 300) made('calls', idOf(creation));
      return `type ${brief(type)}; creation ${brief(creation)}`;
    },
  },
  {
    asks: 'What is said to a date that is not at midnight, to an owner who has left, and to a property that only HubSpot sets?',
    sandbox: /^date INVALID_DATE; owner INVALID_OWNER_ID; only HubSpot’s READ_ONLY_VALUE$/,
    async answer(raw, run, made) {
      const name = `wrapup_live_date_${run}`;
      const property = { name, label: name, type: 'date', fieldType: 'date', groupName: 'contactinformation' };
      await raw.post('/crm/properties/{v}/contacts', property);
      const codeOf = async (properties: object) => {
        const answer = await raw.post('/crm/objects/{v}/contacts', {
          properties: { firstname: 'Live', ...properties },
        });
        if (answer.status < 300) made('contacts', idOf(answer));
        return brief(answer).split(' ').at(-1);
      };
      const date = await codeOf({ [name]: '2026-11-20T10:00:00Z' });
      await raw.ask('DELETE', `/crm/properties/{v}/contacts/${name}`);
      const owner = await codeOf({ hubspot_owner_id: '1' });
      return `date ${date}; owner ${owner}; only HubSpot’s ${await codeOf({ createdate: now() })}`;
    },
  },
  {
    asks: 'How long may a call body and a custom text be, and what is said beyond that?',
    sandbox: /hs_call_body 65536: 200; hs_call_body 65537: 400 VALIDATION_ERROR VALUE_TOO_LONG/,
    async answer(raw, _run, made) {
      const call = await raw.post('/crm/objects/{v}/calls', { properties: { hs_timestamp: now() } });
      made('calls', idOf(call));
      const said: string[] = [];
      for (const property of ['hs_call_body', 'hs_call_title'])
        for (const length of [65_536, 65_537, 200_000, 1_000_000]) {
          const answer = await raw.ask('PATCH', `/crm/objects/{v}/calls/${idOf(call)}`, {
            properties: { [property]: 'x'.repeat(length) },
          });
          said.push(`${property} ${length}: ${brief(answer)}`);
          if (answer.status >= 400) break;
        }
      return said.join('; ');
    },
  },
  {
    asks: 'Does a lifecycle stage move back?',
    sandbox: /^answered 200, still customer$/,
    async answer(raw, run, made) {
      const properties = { firstname: `Live ${run}`, lifecyclestage: 'customer' };
      const contact = await raw.post('/crm/objects/{v}/contacts', { properties });
      made('contacts', idOf(contact));
      const path = `/crm/objects/{v}/contacts/${idOf(contact)}`;
      const back = await raw.ask('PATCH', path, { properties: { lifecyclestage: 'lead' } });
      const { body } = await raw.ask('GET', `${path}?properties=lifecyclestage`);
      const stage = (body.properties as Record<string, string> | undefined)?.lifecyclestage;
      return `answered ${back.status}, ${stage === 'customer' ? 'still customer' : `now ${stage}`}`;
    },
  },
  {
    asks: 'May this key create call properties?',
    sandbox: /^property: 201$/,
    async answer(raw, run) {
      const name = `wrapup_live_${run}`;
      const definition = { name, label: name, type: 'string', fieldType: 'text', groupName: 'wrapup' };
      // There already where `provision` made something.
      await raw.post('/crm/properties/{v}/calls/groups', { name: 'wrapup', label: 'Wrapup' });
      const property = await raw.post('/crm/properties/{v}/calls', definition);
      if (property.status === 201) await raw.ask('DELETE', `/crm/properties/{v}/calls/${name}`);
      return `property: ${brief(property)}${scopes(property)}`;
    },
  },
  {
    asks: 'Which status has a batch with one bad row, with and without trace ids?',
    sandbox:
      /^create with: 207, 1 written; create without: 400, 0 written; upsert with: 207, 1 written; upsert without: 400, 0 written$/,
    async answer(raw, run, made) {
      const said: string[] = [];
      for (const verb of ['create', 'upsert'] as const)
        for (const traced of [true, false]) {
          const inputs = ['good', 'bad'].map((kind) => {
            const key = `live:${run}:q4:${verb}:${traced}:${kind}`;
            const properties = { hs_timestamp: kind === 'good' ? now() : 'no time', wrapup_call_id: key };
            return {
              properties,
              ...(verb === 'upsert' ? { id: key, idProperty: 'wrapup_call_id' } : {}),
              ...(traced ? { objectWriteTraceId: key } : {}),
            };
          });
          const answer = await raw.post(batch('calls', verb), { inputs });
          const results = Array.isArray(answer.body.results) ? answer.body.results.length : 0;
          for (let index = 0; index < results; index += 1) made('calls', idOf(answer, index));
          said.push(`${verb} ${traced ? 'with' : 'without'}: ${answer.status}, ${results} written`);
        }
      return said.join('; ');
    },
  },
  {
    asks: 'What does the limit of searches in a second call itself? Is there a Retry-After?',
    sandbox:
      /of 20 at once refused: 429, category RATE_LIMITS, errorType undefined, policyName undefined, Retry-After absent$/,
    async answer(raw) {
      const body = { filterGroups: [], limit: 1, properties: [] };
      const all = await Promise.all(
        Array.from({ length: 20 }, () => raw.ask('POST', '/crm/objects/{v}/contacts/search', body, false)),
      );
      const refused = all.filter(({ body: said }) => String(said.message).includes('limit'));
      const [one] = refused;
      if (!one) return 'twenty searches at once met no limit';
      const { category, errorType, policyName } = one.body;
      return `${refused.length} of 20 at once refused: ${one.status}, category ${String(category)}, errorType ${String(errorType)}, policyName ${String(policyName)}, Retry-After ${one.retry_after ?? 'absent'}`;
    },
  },
  {
    asks: 'Can hs_unique_creation_key of a call be written?',
    sandbox: /^400 VALIDATION_ERROR READ_ONLY_VALUE$/,
    async answer(raw, run, made) {
      const properties = { hs_timestamp: now(), hs_unique_creation_key: `live-${run}` };
      const answer = await raw.post('/crm/objects/{v}/calls', { properties });
      if (answer.status === 201) made('calls', idOf(answer));
      return brief(answer);
    },
  },
];

/** Where a refusal says what is wrong with a property. */
function detailsOf(refusal: unknown): string {
  const { message, errors } = (refusal ?? {}) as { message?: unknown; errors?: unknown };
  const places = [
    ...(String(message).includes('[{') ? ['in the message'] : []),
    ...(Array.isArray(errors) && errors.length > 0 ? ['in errors'] : []),
  ];
  return places.join(' and ') || 'nowhere';
}

const withoutIds = (message: unknown) => String(message).replace(/\d+/g, '…');

function scopes({ status, body }: RawAnswer): string {
  if (status !== 403) return '';
  const named = JSON.stringify(body).match(/\bcrm\.[a-z_.]+|\btickets\b/g) ?? [];
  return named.length > 0 ? ` (wants ${[...new Set(named)].slice(0, 6).join(' or ')})` : '';
}
