import type { Destination, Preview } from '@wrapup/destination';
import { type CrmAdapter, type PlanWrite, throughEngine } from '@wrapup/destination/engine';
import { MAX_ROWS } from './client/api.ts';
import { MAX_ROWS_TOGETHER } from './client/composite-write.ts';
import { CALL_OBJECT } from './client/objects.ts';
import type { SalesforceSettings } from './client/settings.ts';
import { orgUrl, SalesforceSession, SalesforceTransport } from './client/transport.ts';
import { keyStepOf } from './keys/key-ladder.ts';
import { peopleVerbs } from './people/people-verbs.ts';
import { ownerSource, recordVerbs } from './records/record-verbs.ts';
import { type OrgDefinitions, readOrg } from './schema/org.ts';

/** Calls of new callers, with a call log and a task each, that fill the five collections of a composite request. */
const FULL_COMPOSITE = Math.floor(MAX_ROWS_TOGETHER / 3);

/** Loads jsforce and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openSalesforce(connection: string, settings: SalesforceSettings): Promise<Destination> {
  const transport = await SalesforceTransport.open(settings);
  return {
    kind: 'salesforce',
    connection,
    batch: settings.composite ? FULL_COMPOSITE : MAX_ROWS,
    ...throughEngine(
      (ctx) => new SalesforceSession(transport, ctx),
      (session, writes) => openAdapter(transport, session, settings, writes),
    ),
    // What only operators ask for is loaded when they do.
    check: async (mappings, ctx) => (await import('./account/check.ts')).checkMappings(transport, mappings, ctx),
    provision: async (request, ctx) =>
      (await import('./account/provision.ts')).provisionAccount(transport, request, ctx),
    package: async ({ mappings, stand_in }) =>
      (await import('./account/metadata.ts')).packageFor(mappings, settings.api_version, stand_in),
    describe: async (objects, ctx) => (await import('./account/probe.ts')).describeOrg(transport, objects, ctx),
    probe: async (ctx) => (await import('./account/probe.ts')).probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}

/** @throws SalesforceFailure when the org's definitions cannot be read */
async function openAdapter(
  transport: SalesforceTransport,
  session: SalesforceSession,
  settings: SalesforceSettings,
  writes: PlanWrite[],
): Promise<CrmAdapter> {
  const org = await readOrgFor(session, writes);
  const records = recordVerbs(session, settings, org, await orgUrl(transport, settings, session.ctx));
  return {
    records,
    people: peopleVerbs(session, settings, org, records),
    owners: ownerSource(session),
    estimate: (write, planned) => estimate(write, planned, settings.composite),
    reads_together: true,
  };
}

/** The definitions that these plans need. @throws SalesforceFailure */
async function readOrgFor(session: SalesforceSession, writes: PlanWrite[]): Promise<OrgDefinitions> {
  const objects = writes.flatMap(({ plan }) =>
    plan.records.flatMap(({ object, related = {} }) => [object, ...Object.values(related).map((one) => one.object)]),
  );
  const plans = writes.map(({ index }) => index);
  const org = await readOrg(session, objects, { plans });
  const task = org.object('Task');
  // Only an org whose tasks take no key of their own may have something that stands for them.
  if (writes.length === 0 || !task || keyStepOf(org, task)?.step === 'key') return org;
  return readOrg(session, [...objects, CALL_OBJECT], { plans });
}

/** The person, and one request for each wave of records. @param together the first wave goes along with the person */
function estimate(
  { plan, log_only, found, looked }: PlanWrite,
  records: Preview['records'],
  together: boolean,
): number {
  const [person, ...rest] = records[0]?.name === 'person' ? records : [undefined, ...records];
  let requests = person && (person.did === 'create' || person.fields.some((field) => field.applies)) ? 1 : 0;
  const depthOf = (name: string, seen: ReadonlySet<string>): number => {
    const others = plan.records.find((record) => record.name === name)?.associate ?? [];
    const waiting = others.filter((other) => other !== 'person' && !seen.has(other));
    return Math.max(0, ...waiting.map((other) => 1 + depthOf(other, new Set([...seen, other]))));
  };
  if (rest.length > 0)
    requests =
      (together ? 1 : requests + 1) + Math.max(0, ...rest.map((record) => depthOf(record?.name ?? '', new Set())));
  const related = log_only ? [] : plan.records.flatMap((record) => Object.values(record.related ?? {}));
  // What the person has, and what their account has where they have none.
  if (related.length > 0) requests += related.some(({ through }) => through) ? 2 : 1;
  const open = rest.filter((record) => looked?.get(record?.name ?? '') === 'open');
  // What their account has is asked for those alone who have none of their own.
  if (open.some((record) => !found?.get(record?.name ?? '')?.people)) requests += 1;
  // One that is made is looked for, then under its key, once more before it is made, and made apart from what is new.
  if (rest.some((record) => record?.did === 'create' && ['open', 'by'].includes(looked?.get(record.name) ?? '')))
    requests += 4;
  // What is there already is found out by a refused creation, then read and updated.
  if (rest.some((record) => record?.did === 'update')) requests += 2;
  return requests;
}
