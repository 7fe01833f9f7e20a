/** What an operator asks of an account: whether it works, whether mappings fit it, and to create the fields that they need. */
import type { Probe, ProvisionStep } from '@wrapup/destination';
import { checkOwners, type OwnerWords } from '@wrapup/destination/check';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { type Finding, suggest } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import { CALL_LOGS, KEY, PEOPLE, WATERMARK } from '../client/objects.ts';
import type { AcmeSession } from '../client/transport.ts';
import { ownerSource } from '../records/record-verbs.ts';

/** Compares mappings with the account's own fields. @throws AcmeFailure when they cannot be read */
export async function checkMappings(session: AcmeSession, mappings: CompiledMapping[]): Promise<Finding[]> {
  const fields = mappings.flatMap((mapping) => mapping.fields);
  const findings: Finding[] = [];
  for (const [object, all] of Map.groupBy(fields, (field) => field.object)) {
    const known = await readFields(session, object);
    for (const { property, at } of all)
      if (!known.has(property))
        findings.push({
          severity: 'error',
          code: 'missing-property',
          message: `Acme’s ${object} have no field ${property}.`,
          hint: property.startsWith('wrapup_') ? 'Run `wrapup provision`.' : suggest(property, known),
          at,
        });
  }
  return [...findings, ...(await checkOwners(session.ctx, fields, ownerSource(session), OWNERS))];
}

const OWNERS: OwnerWords = {
  owner: 'active user of the account',
  access: 'Give the token access to users, or name owners by their id.',
  naming: 'Use the e-mail address or the id of an active user.',
};

async function readFields(session: AcmeSession, object: string): Promise<Set<string>> {
  const call = { name: `read the fields of ${object}`, writes: false, path: `/fields/${object}` };
  return new Set(asList(asObject((await session.send(call)).body).fields).map(asText));
}

/** Creates the unique keys and the watermark. Can be repeated: what is there is `present`. @param plan only lists them */
export async function provisionAccount(
  session: AcmeSession,
  mappings: CompiledMapping[],
  plan: boolean,
): Promise<ProvisionStep[]> {
  const written = mappings.flatMap(({ fields }) => fields.map(({ object }) => object));
  const needed = [...new Set([PEOPLE, CALL_LOGS, ...written])].map((object) => ({ object, field: KEY, unique: true }));
  const steps: ProvisionStep[] = [];
  for (const { object, field, unique } of [...needed, { object: PEOPLE, field: WATERMARK, unique: false }]) {
    const what = `${object}.${field}`;
    const present = (await readFields(session, object)).has(field);
    if (present || plan) steps.push({ what, state: present ? 'present' : 'missing' });
    else {
      const call = {
        name: `create the field ${what}`,
        writes: true,
        path: `/fields/${object}`,
        body: { field, unique },
      };
      await session.send(call);
      steps.push({ what, state: 'created' });
    }
  }
  return steps;
}

/** Proves the token, and says which account it is and whether records carry their unique key. */
export async function probeAccount(session: AcmeSession): Promise<Probe> {
  const { body } = await session.send({ name: 'read the account', writes: false, path: '/account' });
  const keyed = (await readFields(session, CALL_LOGS)).has(KEY);
  const note = keyed
    ? `${CALL_LOGS}: unique key ${KEY} in force.`
    : `${CALL_LOGS}: the unique field ${KEY} is missing; run \`wrapup provision\`.`;
  return { account: asText(asObject(body).id), notes: [note] };
}
