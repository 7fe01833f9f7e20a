/**
 * Makes the unique keys, the watermark and the `Wrapup_*` fields of mappings. Salesforce makes fields by deploying a
 * package of metadata, which changes the customer's org: only done where it is asked for (`--deploy`), else the fields are
 * listed. Can be repeated: what is there is `present`, and stays as it is.
 */

import type { Context, ProvisionRequest, ProvisionStep } from '@wrapup/destination';
import { asObject, asText } from '@wrapup/destination/http';
import { createRecord } from '../client/api.ts';
import { queryTogether } from '../client/query.ts';
import { isIn, select } from '../client/soql.ts';
import type { SalesforceTransport } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import { SalesforceSession } from '../session.ts';
import { deploy } from './deploy.ts';
import { PERMISSIONS, packageOf } from './metadata.ts';
import { requirementsOf, type SalesforceRequirement } from './requirements.ts';
import { CORE, forgetObject, type Org, readOrg } from './schema.ts';

export async function provisionAccount(
  transport: SalesforceTransport,
  { mappings, plan, deploy: mayDeploy = false, stand_in = false }: ProvisionRequest,
  ctx: Context,
): Promise<ProvisionStep[]> {
  const requirements = requirementsOf(mappings, stand_in);
  const before = await read(transport, requirements, ctx);
  const missing = requirements.filter((one) => !isThere(before, one));
  const steps = (org: Org, tell: (one: SalesforceRequirement) => ProvisionStep) =>
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

async function read(transport: SalesforceTransport, requirements: SalesforceRequirement[], ctx: Context): Promise<Org> {
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

function isThere(org: Org, one: SalesforceRequirement): boolean {
  return org.object(describedAs(one))?.fields.has(one.name) === true;
}

function judge(org: Org, one: SalesforceRequirement): ProvisionStep {
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
