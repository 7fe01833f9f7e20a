import type { Destination } from '@wrapup/destination';
import { type CrmAdapter, throughEngine } from '@wrapup/destination/engine';
import { checkMappings, probeAccount, provisionAccount } from './account/account.ts';
import { MAX_ROWS } from './client/batches.ts';
import type { AcmeSettings } from './client/settings.ts';
import { AcmeSession, AcmeTransport } from './client/transport.ts';
import { peopleVerbs } from './people/people-verbs.ts';
import { ownerSource, recordVerbs } from './records/record-verbs.ts';

/** Makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openAcme(connection: string, settings: AcmeSettings): Promise<Destination> {
  const transport = new AcmeTransport(settings);
  return {
    kind: 'acme',
    connection,
    batch: MAX_ROWS,
    ...throughEngine(
      (ctx) => new AcmeSession(transport, ctx),
      async (session) => openAdapter(session, settings),
    ),
    check: (mappings, ctx) => checkMappings(new AcmeSession(transport, ctx), mappings),
    provision: ({ mappings, plan }, ctx) => provisionAccount(new AcmeSession(transport, ctx), mappings, plan),
    probe: (ctx) => probeAccount(new AcmeSession(transport, ctx)),
    close: async () => transport.close(),
  };
}

function openAdapter(session: AcmeSession, settings: AcmeSettings): CrmAdapter {
  const records = recordVerbs(session, settings.on_refused_field === 'drop');
  return {
    records,
    people: peopleVerbs(session, records),
    owners: ownerSource(session),
    // One request for each object; a record that is there is found by a refused creation, read and updated.
    estimate: (_write, all) =>
      all.reduce((sum, { name, did }) => sum + (did === 'create' || name === 'person' ? 1 : 3), 0),
    reads_together: false,
  };
}
