import { OUTCOMES } from '@wrapup/call';
import { closed } from '@wrapup/findings';
import { z } from 'zod';
import type { Dialect, RecordDialect, WordDialect } from '../model/dialect.ts';
import { AMBIGUOUS, NONE, SAID, SEVERAL, UNMATCHED } from '../model/plan.ts';
import { BODY_TEMPLATES, TRANSCRIPTS } from '../texts/templates.ts';
import { DUE_SHAPE } from '../time/due.ts';
import { officeHoursSchema } from '../time/office-hours.ts';
import { NUMBER_WRITINGS, type NumberWriting } from '../values/numbers.ts';
import { defineSchema } from './define-schema.ts';
import { ownerSchema } from './owner-schema.ts';
import { pathSchema, scalarSchema } from './plain-schema.ts';
import { fallbackShape, fieldsSchema, formShape, valueSchema } from './value-schema.ts';
import { whenSchema } from './when-schema.ts';

export const MATCH_BY = ['id', 'email', 'phone'] as const;

/** Names are part of the keys of what is written, so they are permanent. */
export const NAME = /^[a-z0-9-]+$/;
/** Keys have to fit the 255 characters of a text field, beside the names of client and source and the id of the call. */
const MAX_NAME = 100;
const nameSchema = z
  .string()
  .regex(NAME, 'must be small letters, digits and dashes, as it is part of a permanent key')
  .max(MAX_NAME, `must have at most ${MAX_NAME} characters, as it is part of a permanent key`);

const unmatchedSchema = z.enum(UNMATCHED);
const byOutcomeSchema = closed({
  ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, unmatchedSchema.nullable().optional()])),
  default: unmatchedSchema.optional(),
});

function personSchema(dialect: Dialect) {
  const [first, ...rest] = dialect.person.create_as;
  return closed({
    id: z.union([pathSchema, z.null()]).optional().describe('Path of the id that the person has in the CRM'),
    match: z
      .array(z.enum(MATCH_BY))
      .min(1, 'must list at least one way to find a person')
      .optional()
      .describe('How the person is looked for, in this order'),
    unmatched: z.union([unmatchedSchema, byOutcomeSchema]).optional().describe('What happens when no person is found'),
    ambiguous: z.enum(AMBIGUOUS).optional().describe('What happens when several are found'),
    said: z
      .enum(SAID)
      .nullable()
      .optional()
      .describe(
        'What an address or a number that was only said is good for. match: as much as a given one; ignore: no person is looked for by it. Unless said: a person found by it alone gets the call log and the tasks, marked, and nothing of theirs is written',
      ),
    create_as:
      first === undefined
        ? z.never().optional()
        : z
            .enum([first, ...rest])
            .optional()
            .describe('What an unmatched caller becomes'),
    ...(dialect.person.owner === undefined ? {} : { owner: ownerSchema.nullable().optional() }),
    fields: fieldsSchema.nullable().optional(),
  });
}

/** Which of several open records: `find: { open: … }`. */
export const OPEN = ['newest', 'only'] as const;

/** What a field of a record that is looked for has: as any value, but not how it is written. */
const foundValueSchema = z.union([scalarSchema, closed(fallbackShape())]).meta({ id: 'found-value' });

const bodySchema = z.union([
  scalarSchema,
  z.null(),
  closed({
    template: z.enum(BODY_TEMPLATES).optional().describe('A text that is put together by name'),
    text: z.string().optional().describe('Your own text, with {{ placeholders }}'),
    transcript: z.enum(TRANSCRIPTS).optional().describe('full: all that was said; link: the recording; none: neither'),
    ...formShape,
  }),
]);

function wordSchema(word: WordDialect) {
  const { as, property } = word;
  const about = as === 'due' ? `When it is due, from the end of the call: ${DUE_SHAPE}` : `Sets ${property}`;
  return typeOfWord(word).optional().describe(about);
}

function typeOfWord({ as, literal }: WordDialect) {
  if (literal) {
    const problem = (text: unknown) => literal(String(text)) ?? '';
    return z.union([z.string().refine((text) => !literal(text), { error: (issue) => problem(issue.input) }), z.null()]);
  }
  if (as === 'body') return bodySchema;
  return as === 'due' ? z.union([z.string(), z.null()]) : valueSchema;
}

const findSchema = closed({
  id: pathSchema.optional().describe('Path of the id that the record has in the CRM'),
  open: z
    .enum(OPEN)
    .optional()
    .describe('The open record of the person or their company. newest: of several the newest; only: several: decides'),
  by: z
    .record(z.string().min(1, 'a field needs the name that it has in the CRM'), foundValueSchema)
    .optional()
    .describe('The record whose fields have these values: { order_number: prompt_variables.order_number }'),
}).describe('A record that is there, which the call changes instead of making one: id, open or by');

function recordShape({ words, any_object, keyed, owner, labels, findable }: RecordDialect, related: string[]) {
  return {
    ...(findable
      ? {
          find: findSchema.nullable().optional(),
          none: z
            .enum(NONE)
            .nullable()
            .optional()
            .describe('What happens where find finds nothing; create unless said'),
          several: z
            .enum(SEVERAL)
            .nullable()
            .optional()
            .describe('What happens where find finds several; park unless said'),
        }
      : {}),
    when: whenSchema.nullable().optional().describe('The record is written only for calls that fulfil it'),
    ...(any_object
      ? {
          object: z.string().optional().describe(`The CRM’s object: ${any_object.such_as}`),
        }
      : {}),
    ...(keyed
      ? {
          key: z
            .array(pathSchema)
            .min(1, 'must list at least one part')
            .nullable()
            .optional()
            .describe('What makes the record one, instead of the call: [person, vars.job_id]'),
        }
      : {}),
    ...Object.fromEntries(Object.entries(words).map(([word, dialect]) => [word, wordSchema(dialect)])),
    ...(owner === undefined ? {} : { owner: ownerSchema.nullable().optional() }),
    fields: fieldsSchema.nullable().optional(),
    associate: z
      .array(z.string())
      .optional()
      .describe(`${['person', ...related, 'call_log'].join(', ')}, or names of other records; person by default`),
    ...(labels
      ? {
          labels: z
            .record(
              z.string(),
              z.string().refine((label) => label.trim() !== '', 'must name a label of the account'),
            )
            .nullable()
            .optional()
            .describe('What the account calls the link to each of these: { person: Decision maker }'),
        }
      : {}),
  };
}

/** One record of its kind for each call; all others are lists of named records. */
export const SINGLE = 'call_log';

/**
 * The shape of a mapping file for one kind of destination: what an editor completes, and what is checked first.
 * Nothing is required that could be inherited; null takes away what is.
 */
export function mappingSchema(dialect: Dialect) {
  const records = Object.entries(dialect.records).map(([key, record]) => {
    const shape = recordShape(record, Object.keys(dialect.related ?? {}));
    const schema =
      key === SINGLE
        ? closed(shape)
        : z.array(
            closed({
              name: nameSchema.describe('Permanent: part of the key of what is written'),
              remove: z.literal(true).optional().describe('Takes an inherited record away'),
              ...shape,
            }),
          );
    const about = key === SINGLE ? 'The log of the call' : `Records: ${record.object}, each with a name of its own`;
    return [key, schema.nullable().optional().describe(about)];
  });
  return closed({
    extends: z.string().meta({ id: 'extends' }).optional().describe('A shipped preset, or a file in the config folder'),
    time_zone: z
      .string()
      .optional()
      .describe('Where times without an offset are, and days begin: America/New_York. UTC when not said'),
    office_hours: officeHoursSchema
      .optional()
      .describe(
        'When the office is open: business days of due_in are those with hours, holidays left out. Monday to Friday when not said',
      ),
    number: z
      .enum(Object.keys(NUMBER_WRITINGS) as [NumberWriting, ...NumberWriting[]])
      .optional()
      .describe('How callers write numbers: en 1,234.5; de 1.234,5; fr 1 234,5; ch 1’234.5'),
    define: defineSchema.nullable().optional().describe('Values that are made once, and read as my.<name>'),
    ...(dialect.person.create_as.length > 0
      ? {
          person: personSchema(dialect)
            .nullable()
            .optional()
            .describe('Whom the call is about: how they are found in the CRM, and what is written to them'),
        }
      : {}),
    ...Object.fromEntries(records),
  });
}
