/** What Salesforce brings to the write engine. */
import type { Context, Preview } from '@wrapup/destination';
import type { CrmAdapter, PlanWrite } from '@wrapup/destination/engine';
import { type Org, readOrg } from './account/schema.ts';
import type { SalesforceTransport } from './client/transport.ts';
import { keyStepOf } from './keys/key-ladder.ts';
import { CALL_OBJECT } from './objects.ts';
import { peopleVerbs } from './people/people-verbs.ts';
import { ownerSource } from './records/owners.ts';
import { recordVerbs } from './records/record-verbs.ts';
import { orgUrl, type SalesforceSession } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/** @throws SalesforceFailure when the org's definitions cannot be read */
export async function openAdapter(
  transport: SalesforceTransport,
  session: SalesforceSession,
  settings: SalesforceSettings,
  ctx: Context,
  writes: PlanWrite[],
): Promise<CrmAdapter> {
  const org = await readOrgFor(session, writes);
  const org_url = await orgUrl(transport, settings, ctx);
  const records = recordVerbs(session, settings, org, org_url);
  return {
    records,
    people: peopleVerbs(session, settings, org, records),
    owners: ownerSource(session),
    estimate,
    reads_together: true,
  };
}

/** The definitions that these plans need. @throws SalesforceFailure */
async function readOrgFor(session: SalesforceSession, writes: PlanWrite[]): Promise<Org> {
  const objects = writes.flatMap(({ plan }) => plan.records.map(({ object }) => object));
  const plans = writes.map(({ index }) => index);
  const org = await readOrg(session, objects, { plans });
  const task = org.object('Task');
  // Only an org whose tasks take no key of their own may have something that stands for them.
  if (writes.length === 0 || !task || keyStepOf(org, task)?.step === 'key') return org;
  return readOrg(session, [...objects, CALL_OBJECT], { plans });
}

/** The person, and one request for each wave of records. */
function estimate({ plan }: PlanWrite, records: Preview['records']): number {
  const [person, ...rest] = records[0]?.name === 'person' ? records : [undefined, ...records];
  let requests = person && (person.did === 'create' || person.fields.some((field) => field.applies)) ? 1 : 0;
  const depthOf = (name: string, seen: ReadonlySet<string>): number => {
    const others = plan.records.find((record) => record.name === name)?.associate ?? [];
    const waiting = others.filter((other) => other !== 'person' && !seen.has(other));
    return Math.max(0, ...waiting.map((other) => 1 + depthOf(other, new Set([...seen, other]))));
  };
  if (rest.length > 0) requests += 1 + Math.max(0, ...rest.map((record) => depthOf(record?.name ?? '', new Set())));
  // What is there already is found out by a refused creation, then read and updated.
  if (rest.some((record) => record?.did === 'update')) requests += 2;
  return requests;
}
