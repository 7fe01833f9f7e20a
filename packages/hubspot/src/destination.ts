import type { Destination, Preview } from '@wrapup/destination';
import {
  type CrmAdapter,
  type Existing,
  type FieldLabels,
  type PlanWrite,
  throughEngine,
} from '@wrapup/destination/engine';
import type { FindBy } from '@wrapup/mapping';
import { MAX_BATCH } from './client/api.ts';
import { ACCOUNT_MEMORY, accountFor, type Property, readSchema } from './client/definitions.ts';
import type { HubSpotSettings } from './client/settings.ts';
import { HubSpotSession, HubSpotTransport } from './client/transport.ts';
import { keyStepMemories } from './keys/key-ladder.ts';
import { peopleVerbs } from './people/people-verbs.ts';
import { ownerSource, recordVerbs } from './records/record-verbs.ts';

/** Loads the official client and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openHubSpot(connection: string, settings: HubSpotSettings): Promise<Destination> {
  const transport = await HubSpotTransport.open(settings);
  return {
    kind: 'hubspot',
    connection,
    batch: MAX_BATCH,
    ...throughEngine(
      (ctx) => new HubSpotSession(transport, ctx),
      (session, _writes, for_reader) => openAdapter(session, settings, for_reader),
      (plans) => [ACCOUNT_MEMORY, ...keyStepMemories(plans)],
    ),
    // What only operators ask for is loaded when they do.
    check: async (mappings, ctx) =>
      (await import('./account/check.ts')).checkMappings(transport, settings, mappings, ctx),
    provision: async (request, ctx) =>
      (await import('./account/provision.ts')).provisionAccount(transport, request, ctx),
    describe: async (objects, ctx) => (await import('./account/describe.ts')).describeAccount(transport, objects, ctx),
    probe: async (ctx) => (await import('./account/probe.ts')).probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}

async function openAdapter(
  session: HubSpotSession,
  settings: HubSpotSettings,
  for_reader: boolean,
): Promise<CrmAdapter> {
  const records = recordVerbs(session, settings, await accountFor(session, settings, for_reader));
  return {
    records,
    people: peopleVerbs(session, records, settings.without_key === 'id_map'),
    owners: ownerSource(session),
    estimate,
    async describeFields(objects) {
      const read = async (object: string) => [object, await readSchema(session, object)] as const;
      const known = await Promise.allSettled(objects.map(read));
      return new Map(known.flatMap((one) => (one.status === 'fulfilled' ? [toLabels(one.value)] : [])));
    },
    reads_together: false,
  };
}

function toLabels([object, properties]: readonly [string, ReadonlyMap<string, Property>]): [string, FieldLabels] {
  const labels = [...properties].map(([name, { label, options }]) => {
    const byValue = new Map(options.map((option) => [option.value, option.label]));
    return [name, { label, options: byValue }] as const;
  });
  return [object, new Map(labels)];
}

/** Requests by which a record is looked for: links and what they lead to, of the contact, else of the company. */
function lookUp(way: FindBy | undefined, there: Existing | undefined): number {
  if (way === 'open') return there && !there.people ? 4 : 2;
  // A search, and what it finds as it is now.
  return way === 'by' && there ? 2 : 1;
}

/** One request for each object that is written, and those for links and for what is there already. */
function estimate({ plan, log_only, found, looked }: PlanWrite, records: Preview['records']): number {
  const related = log_only ? [] : plan.records.flatMap((record) => Object.values(record.related ?? {}));
  // Links, and the records that they lead to: of companies the links say enough.
  let requests = new Set(
    related.flatMap(({ object }) => (object === 'companies' ? [object] : [object, `${object} read`])),
  ).size;
  for (const { name, object, did, fields } of records) {
    const applies = fields.some((field) => field.applies);
    if (did === 'update' && name === 'person' && !applies) continue;
    if (object === 'companies') {
      // Looked for by its domain; what is there is updated where a field applies, and linked apart.
      requests += did === 'create' || !applies ? 2 : 3;
      continue;
    }
    requests += 1;
    const there = found?.get(name);
    const way = looked?.get(name);
    if (there) {
      // Looked for, written where a field applies, and linked where it is not.
      requests += lookUp(way, there) - 1 + (applies ? 1 : 0) + (there.people ? 0 : 1);
      continue;
    }
    // One that is made is looked for under its key besides, and once more before it is made.
    if (way === 'open' || way === 'by') requests += lookUp(way, undefined) + 2;
    // A log that exists is found out by a refused creation, then read, updated where a field applies, and linked.
    if (did === 'update' && name !== 'person') requests += 1 + (applies ? 1 : 0) + (log_only ? 0 : 1);
  }
  return requests;
}
