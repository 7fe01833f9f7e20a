import { type Context, type PersonAnswer, type PersonQuestion, type PersonRecord, whoIs } from '@wrapup/destination';
import { toAnswer, toQuestions } from '@wrapup/destination/delivery';
import { readOrg } from './account/schema.ts';
import type { Person } from './candidates.ts';
import type { Transport } from './client/transport.ts';
import { lookUp } from './look-up.ts';
import { recordUrl } from './objects.ts';
import { readRelated } from './related.ts';
import { orgUrl, Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/** Finds people, one answer per question and in their order. Rejects when any of the look-ups failed. */
export async function findPersons(
  transport: Transport,
  settings: SalesforceSettings,
  persons: PersonQuestion[],
  ctx: Context,
): Promise<PersonAnswer[]> {
  const session = new Session(transport, ctx);
  const org = await readOrg(session, []);
  const { questions, properties } = toQuestions(persons, IDENTIFYING);
  const answers = await lookUp(session, org, questions, properties);
  const url = await orgUrl(transport, settings, ctx);
  const found = answers.map((answer) => toAnswer(answer, (person) => toRecord(person, url)));
  await Promise.all(
    found.map(async (answer, index) => {
      const wanted = persons[index]?.related;
      const person = answers[index];
      if (answer.found !== 'one' || person?.found !== 'one' || !wanted) return;
      answer.person.related = await readRelated(session, person.record, wanted);
    }),
  );
  return found;
}

/** What a person knows people by; of each object those are read that it has. */
export const IDENTIFYING = ['Name', 'Email', 'PersonEmail', 'Company'];

/** A person as the port tells it. */
export function toRecord({ object, id, properties }: Person, org_url: string | undefined): PersonRecord {
  const url = recordUrl(org_url, id);
  const { Name, FirstName, LastName, Email, PersonEmail, Company } = properties;
  const who = whoIs({
    name: Name ? [Name] : [FirstName, LastName],
    email: [Email, PersonEmail],
    phone: [properties.Phone, properties.MobilePhone, properties.PersonMobilePhone],
    company: [Company],
  });
  return { object, id, properties, ...(url ? { url } : {}), ...(who ? { who } : {}) };
}
