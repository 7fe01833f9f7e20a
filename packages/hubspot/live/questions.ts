/** What no page of HubSpot's documentation settles, asked of a real account one by one. */
import { brief, idOf, type Raw, type RawAnswer } from './raw.ts';

export interface Question {
  asks: string;
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
    asks: '1. Do calls take batch/upsert by a custom unique property? Can a contact be made by one, with neither address nor name?',
    async answer(raw, run, made) {
      const first = await upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:q1`, { hs_timestamp: now() });
      const again = await upsert(raw, 'calls', 'wrapup_call_id', `live:${run}:q1`, { hs_call_title: 'Again' });
      const contact = await upsert(raw, 'contacts', 'wrapup_key', `person:live-${run}-q1`, {});
      made('calls', idOf(first));
      made('contacts', idOf(contact));
      const same = idOf(first) !== undefined && idOf(first) === idOf(again);
      return `call: ${brief(first)}, repeated ${brief(again)}, ${same ? 'the same record' : 'not the same record'}; contact without address and name: ${brief(contact)}`;
    },
  },
  {
    asks: '2. May this key create call properties?',
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
    asks: '3. How long may a call body and a custom text be, and what is said beyond that?',
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
    asks: '4. Which status has a batch with one bad row, with and without trace ids?',
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
    asks: '5. What does the limit of searches in a second call itself? Is there a Retry-After?',
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
    asks: '6. Can hs_unique_creation_key of a call be written?',
    async answer(raw, run, made) {
      const properties = { hs_timestamp: now(), hs_unique_creation_key: `live-${run}` };
      const answer = await raw.post('/crm/objects/{v}/calls', { properties });
      if (answer.status === 201) made('calls', idOf(answer));
      return brief(answer);
    },
  },
  {
    asks: '7. Does an archived call free its unique value, and what does an upsert do then?',
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
];

function scopes({ status, body }: RawAnswer): string {
  if (status !== 403) return '';
  const named = JSON.stringify(body).match(/\bcrm\.[a-z_.]+|\btickets\b/g) ?? [];
  return named.length > 0 ? ` (wants ${[...new Set(named)].slice(0, 6).join(' or ')})` : '';
}
