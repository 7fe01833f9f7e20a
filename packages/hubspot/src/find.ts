import { type Context, type PersonAnswer, type PersonQuestion, type PersonRecord, whoIs } from '@wrapup/destination';
import { accountForReader, knownAccount } from './account.ts';
import { type Found, lookUp } from './look-up.ts';
import { type Account, recordUrl } from './objects.ts';
import type { CrmRecord } from './read-many.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/** Finds people, one answer per question and in their order. Rejects when any of the look-ups failed. */
export async function findPersons(
  transport: Transport,
  settings: HubSpotSettings,
  persons: PersonQuestion[],
  ctx: Context,
): Promise<PersonAnswer[]> {
  const session = new Session(transport, ctx);
  const forReader = persons.some(({ identify }) => identify);
  const account = forReader ? await accountForReader(session, settings) : await knownAccount(ctx, settings);
  const questions = persons.map(({ match }, plan) => ({ match, plan, read: true }));
  const properties = [...new Set(persons.flatMap((person) => wantedOf(person)))];
  const answers = await lookUp(session, questions, properties);
  return answers.map((answer) => toAnswer(answer, account));
}

/** What a person knows contacts by. */
export const IDENTIFYING = ['firstname', 'lastname', 'email', 'phone', 'company'];

function wantedOf({ properties, identify }: PersonQuestion): string[] {
  return identify ? [...properties, ...IDENTIFYING] : properties;
}

/** @throws the failure of a look-up that failed */
export function toAnswer(found: Found, account: Account | undefined): PersonAnswer {
  if (found.found === 'failed') throw found.failure;
  if (found.found === 'none') return { found: 'none' };
  if (found.found === 'one') return { found: 'one', by: found.by, person: toPerson(found.record, account) };
  return { found: 'many', by: found.by, candidates: found.records.map((record) => toPerson(record, account)) };
}

function toPerson({ id, properties }: CrmRecord, account: Account | undefined): PersonRecord {
  const url = recordUrl(account, 'contacts', id);
  const { firstname, lastname, email, phone, mobilephone, company } = properties;
  const who = whoIs({ name: [firstname, lastname], email: [email], phone: [phone, mobilephone], company: [company] });
  return { object: 'contacts', id, properties, ...(url ? { url } : {}), ...(who ? { who } : {}) };
}
