/** Deploys a package of metadata and waits for its end. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm */

import type { Context } from '@wrapup/destination';
import { asObject, asText } from '@wrapup/destination/http';
import { loadMetadataApi } from '../client/jsforce.ts';
import type { SalesforceTransport } from '../client/transport.ts';
import { SalesforceFailure, unaccounted } from '../errors/classify.ts';

interface DeployFailure {
  /** `Lead.Wrapup_Key__c` */
  name: string;
  problem: string;
}

/** Ms between two looks. */
const PAUSE_MS = 1_000;

const CALL = { name: 'deploy the package', writes: true };

/**
 * All or nothing: with a failure nothing of it was made.
 * @returns what was refused
 * @throws SalesforceFailure when it could not be deployed at all, or not in time
 */
export async function deploy(transport: SalesforceTransport, zip: Uint8Array, ctx: Context): Promise<DeployFailure[]> {
  await loadMetadataApi();
  const id = await start(transport, zip, ctx);
  for (let pause = 50; ; pause = Math.min(pause * 2, PAUSE_MS)) {
    const status = await look(transport, id, ctx);
    if (status.done === true) return status.success === true ? [] : failuresOf(status);
    if (Date.now() + pause >= ctx.deadline)
      throw new SalesforceFailure('timeout', 'deploy the package: it is still under way.', {
        hint: 'Look in Setup, Deployment Status; then run `wrapup provision` again.',
      });
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function start(transport: SalesforceTransport, zip: Uint8Array, ctx: Context): Promise<string> {
  const answer = await transport.send(
    {
      ...CALL,
      run: (connection) =>
        connection.metadata.deployRest(Buffer.from(zip), { rollbackOnError: true, singlePackage: true }) as never,
    },
    ctx,
  );
  const id = asText(asObject(answer.body).id);
  if (!id) throw unaccounted(CALL.name, true);
  return id;
}

async function look(transport: SalesforceTransport, id: string, ctx: Context): Promise<Record<string, unknown>> {
  const answer = await transport.send(
    {
      name: 'look at the deployment',
      writes: false,
      run: (connection) => connection.metadata.checkDeployStatus(id, true, true),
    },
    ctx,
  );
  return asObject(asObject(answer.body).deployResult);
}

function failuresOf(status: Record<string, unknown>): DeployFailure[] {
  const given = asObject(status.details).componentFailures;
  const failures = (Array.isArray(given) ? given : [given]).map(asObject).flatMap(({ fullName, problem }) => {
    const said = asText(problem);
    return said ? [{ name: asText(fullName), problem: said }] : [];
  });
  if (failures.length > 0) return failures;
  return [{ name: '', problem: asText(status.errorMessage) || `the deployment ended as ${asText(status.status)}` }];
}
