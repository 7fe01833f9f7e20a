import { closed } from '@wrapup/findings';
import { z } from 'zod';
import { pathSchema } from './plain-schema.ts';

/** What stands for the owner of the matched person. */
export const CONTACT_OWNER = 'contact_owner';

/** An e-mail address, or the id that an owner has in the CRM. */
const nameSchema = z.union([z.string().min(1, 'must not be empty'), z.number()]);

const waysSchema = closed({
  [CONTACT_OWNER]: z.literal(true).optional().describe('The owner of the matched person'),
  by_agent: z
    .record(z.string(), nameSchema)
    .optional()
    .describe('For each agent, by its id, the e-mail address or id of an owner'),
  by_email: pathSchema.optional().describe('A path, or a text with {{ placeholders }}, that gives an e-mail address'),
  fallback: nameSchema.optional().describe('E-mail address or id of an owner'),
});

const stepSchema = z.union([z.enum([CONTACT_OWNER]), waysSchema]);

/** One way, several in a section, or a list of ways: tried in the order in which they stand. */
export const ownerSchema = z
  .union([z.enum([CONTACT_OWNER]), waysSchema, z.array(stepSchema)])
  .describe('Whom the record is given to, where it has no owner yet: the first of these that the account knows');
