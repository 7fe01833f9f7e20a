import { narrowConfig } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import { isAuditId } from '@wrapup/queue';
import { MAX_REASON_LENGTH } from '../pages/actions.ts';
import { ask } from '../queries/ask-redis.ts';
import { readClients } from '../queries/clients.ts';
import type { HandlerParts } from '../routes/handler-parts.ts';
import { isInScope } from '../security/client-scope.ts';
import type { Handlers } from './api-request.ts';
import { auditedOf, clientOfApi, connectionOf, digestOf, omissionOf, quotaOf } from './convert.ts';
import { ApiProblem } from './problems.ts';

type InstallationOperation =
  | ('listConnections' | 'pauseConnection' | 'resumeConnection' | 'listClients')
  | ('listDigests' | 'listOmissions' | 'listQuotas' | 'listAudit');

/** Connections, clients, omissions, quotas and the audit. */
export function handleInstallation({ store, config, connections }: HandlerParts): Handlers<InstallationOperation> {
  const namesFor = async (client: string | undefined) =>
    (await ask(store, connections)).filter((name) => isInScope({ client }, name));

  const configFor = (client: string | undefined) => (client === undefined ? config() : narrowConfig(config(), client));

  async function report(name: string, client: string | undefined) {
    return connectionOf(await ask(store, () => store.connections.report(name)), configFor(client));
  }

  /** @throws ApiProblem */
  async function requireConnection(name = '', client: string | undefined): Promise<string> {
    if ((await namesFor(client)).includes(name)) return name;
    throw new ApiProblem('not-found', { detail: `No connection ${name}.` });
  }

  return {
    async listConnections({ client }) {
      return { items: await Promise.all((await namesFor(client)).map((name) => report(name, client))) };
    },

    async pauseConnection({ params, body, by, client }) {
      const name = await requireConnection(params.name, client);
      const reason = body.why === undefined ? undefined : scrub(body.why, MAX_REASON_LENGTH);
      await ask(store, () => store.connections.pause(name, reason, by));
      return report(name, client);
    },

    async resumeConnection({ params, by, client }) {
      const name = await requireConnection(params.name, client);
      await ask(store, () => store.connections.resume(name, by));
      return report(name, client);
    },

    async listDigests({ client }) {
      const { digests } = configFor(client);
      return {
        items: await ask(store, () =>
          Promise.all(digests.map(async (digest) => digestOf(digest, await store.digests.report(digest)))),
        ),
      };
    },

    async listClients() {
      return { items: (await ask(store, () => readClients(store, config()))).map(clientOfApi) };
    },

    async listOmissions({ query: { connection, since }, client }) {
      const names = await namesFor(client);
      const chosen = connection === undefined ? names : [await requireConnection(connection, client)];
      const lines = await ask(store, () =>
        store.omissions.list({ connections: chosen, ...(since === undefined ? {} : { since: Date.parse(since) }) }),
      );
      return { items: lines.map(omissionOf) };
    },

    async listQuotas({ client }) {
      const reports = await ask(store, async () =>
        Promise.all((await namesFor(client)).map((name) => store.connections.report(name))),
      );
      return { items: reports.map(({ connection, daily }) => quotaOf(connection, daily)) };
    },

    async listAudit({ query: { limit, cursor, since, until, client: _, ...filter }, client }) {
      if (cursor !== undefined && !isAuditId(cursor)) throw new ApiProblem('invalid-cursor');
      const times = {
        since: since === undefined ? undefined : Date.parse(since),
        until: until === undefined ? undefined : Date.parse(until),
      };
      const page = await ask(store, () => store.audit.page({ ...filter, ...times, client }, { limit, after: cursor }));
      return { items: page.entries.map(auditedOf), next: page.next ?? null };
    },
  };
}
