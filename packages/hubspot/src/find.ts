import { type Context, type PersonAnswer, type PersonQuestion, type PersonRecord, whoIs } from '@wrapup/destination';
import { toAnswer, toQuestions } from '@wrapup/destination/delivery';
import { accountForReader, knownAccount } from './account/account.ts';
import type { CrmRecord } from './client/batch-read.ts';
import type { Transport } from './client/transport.ts';
import { lookUp } from './look-up.ts';
import { type Account, recordUrl } from './objects.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';

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
  const { questions, properties } = toQuestions(persons, IDENTIFYING);
  const answers = await lookUp(session, questions, properties);
  return answers.map((answer) => toAnswer(answer, (contact) => toRecord(contact, account)));
}

/** What a person knows contacts by. */
export const IDENTIFYING = ['firstname', 'lastname', 'email', 'phone', 'company'];

/** A contact as the port tells it. */
export function toRecord({ id, properties }: CrmRecord, account: Account | undefined): PersonRecord {
  const url = recordUrl(account, 'contacts', id);
  const { firstname, lastname, email, phone, mobilephone, company } = properties;
  const who = whoIs({ name: [firstname, lastname], email: [email], phone: [phone, mobilephone], company: [company] });
  return { object: 'contacts', id, properties, ...(url ? { url } : {}), ...(who ? { who } : {}) };
}
