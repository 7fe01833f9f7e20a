/**
 * Makes the unique keys, the watermark and the `Wrapup_*` fields of mappings. Salesforce makes fields by deploying a
 * package of metadata, which changes the customer's org: only done where it is asked for (`--deploy`), else the fields are
 * listed. Can be repeated: what is there is `present`, and stays as it is.
 */
import type { Context, ProvisionRequest, ProvisionStep } from '@wrapup/destination';
import { asObject, asText } from '@wrapup/destination/http';
import { createRecord } from '../client/api.ts';
import { loadMetadataApi } from '../client/jsforce.ts';
import { forgetObject, isIn, queryTogether, select } from '../client/query.ts';
import { SalesforceSession, type SalesforceTransport } from '../client/transport.ts';
import { asSalesforceFailure, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import { CORE, type OrgDefinitions, readOrg } from '../schema/org.ts';
import { PERMISSIONS, packageOf, requirementsOf, type SalesforceRequirement } from './metadata.ts';

export async function provisionAccount(
  transport: SalesforceTransport,
  { mappings, plan, deploy: mayDeploy = false, stand_in = false }: ProvisionRequest,
  ctx: Context,
): Promise<ProvisionStep[]> {
  const requirements = requirementsOf(mappings, stand_in);
  const before = await read(transport, requirements, ctx);
  const missing = requirements.filter((one) => !isThere(before, one));
  const steps = (org: OrgDefinitions, tell: (one: SalesforceRequirement) => ProvisionStep) =>
    requirements.map((one) => (isThere(org, one) ? judge(org, one) : tell(one)));
  if (missing.length === 0) return steps(before, (one) => ({ what: whatOf(one), state: 'missing' }));
  if (plan || !mayDeploy)
    return steps(before, (one) => ({ what: whatOf(one), state: 'missing', ...(plan ? {} : { hint: HOW }) }));
  // All of them, so that the permission set opens also those that are there and not seen.
  const failures = await deploy(transport, packageOf(requirements, transport.api_version).zip, ctx);
  if (failures.length === 0)
    await assign(new SalesforceSession(transport, ctx), await transport.whose(ctx).then(({ user }) => user));
  const after = await read(transport, requirements, ctx);
  return requirements.map((one): ProvisionStep => {
    const what = whatOf(one);
    if (isThere(after, one)) return missing.includes(one) ? { what, state: 'created' } : judge(after, one);
    const failed = failures.find(({ name }) => name === what) ?? failures[0];
    return { what, state: 'refused', hint: failed ? `Salesforce: ${failed.problem}` : UNSEEN };
  });
}

const HOW =
  'Run `wrapup provision --deploy`, or write the package with `wrapup provision --out wrapup.zip` and deploy it with your own tools.';
const UNSEEN = `The field was deployed, and the user does not see it: assign the permission set ${PERMISSIONS} to the user that Wrapup works as.`;

async function read(
  transport: SalesforceTransport,
  requirements: SalesforceRequirement[],
  ctx: Context,
): Promise<OrgDefinitions> {
  const objects = new Set(requirements.map(describedAs));
  for (const object of [...CORE, ...objects]) await forgetObject(ctx, object);
  return readOrg(new SalesforceSession(transport, ctx), objects, { fresh: true });
}

/** The definition of an activity's field is that of a task. */
function describedAs({ object }: SalesforceRequirement): string {
  return object === 'Activity' ? 'Task' : object;
}

function whatOf({ object, name }: SalesforceRequirement): string {
  return `${object}.${name}`;
}

function isThere(org: OrgDefinitions, one: SalesforceRequirement): boolean {
  return org.object(describedAs(one))?.fields.has(one.name) === true;
}

function judge(org: OrgDefinitions, one: SalesforceRequirement): ProvisionStep {
  const what = whatOf(one);
  const field = org.object(describedAs(one))?.fields.get(one.name);
  if (one.type !== 'key' || (field?.unique && field.external)) return { what, state: 'present' };
  return {
    what,
    state: 'refused',
    hint: `${what} exists but is not a unique external id. In Setup, Object Manager, edit the field: tick External ID and Unique (values that stand twice have to go first).`,
  };
}

/** Gives the user the permission set. That it has it already is no mistake. */
async function assign(session: SalesforceSession, user: string): Promise<void> {
  const soql = select('PermissionSet', ['Id'], isIn('Name', [PERMISSIONS]));
  const [found] = await queryTogether(session, 'look the permission set up', [{ object: 'PermissionSet', soql }], []);
  const id = asText(asObject(found?.records[0]).Id);
  if (!id) return;
  try {
    await session.send(createRecord('PermissionSetAssignment', { AssigneeId: user, PermissionSetId: id }));
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    // A user who may deploy may not always assign: the steps say what is to be done.
    if (failure.code !== 'conflict' && failure.next !== 'park') throw failure;
  }
}

/* Deploys a package of metadata and waits for its end. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm */

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
