/** What the API takes and answers. These schemas check what comes in, and describe both in the OpenAPI document. */
import { AUDIT_ACTIONS } from '@wrapup/queue';
import { z } from 'zod';
import { MAX_REASON_LENGTH } from '../pages/actions.ts';
import { CALL_STATES, DELIVERY_STATES } from '../queries/search-calls.ts';

export const time = (description: string) => z.iso.datetime().meta({ description: `${description}, ISO 8601 in UTC` });
/** In what is given: any offset. */
const moment = (description: string) =>
  z.iso.datetime({ offset: true }).meta({ description: `${description}, ISO 8601 with an offset or Z` });
const name = (description: string) => z.string().min(1).max(200).meta({ description });

export const MAX_LIMIT = 200;
const limit = z.coerce.number().int().min(1).max(MAX_LIMIT).default(50).meta({ description: 'Items at most' });
const cursor = z.string().min(1).max(4096).optional().meta({ description: '`next` of the page before' });
const client = name('Only of this client').optional();

export const CALL_QUERY = z.strictObject({
  state: z
    .enum(CALL_STATES)
    .optional()
    .meta({ description: 'Calls with a delivery in this state, or in it themselves' }),
  source: name('Source, in full').optional(),
  route: name('Route, in full').optional(),
  connection: name('Connection, in full').optional(),
  outcome: name('What the line did').optional(),
  id: name('Part of a call id').optional(),
  since: moment('Received then or later').optional(),
  ...{ client, limit, cursor },
});

export const DELIVERY_QUERY = z.strictObject({
  state: z.enum(DELIVERY_STATES).optional(),
  source: name('Source, in full').optional(),
  route: name('Route, in full').optional(),
  connection: name('Connection, in full').optional(),
  since: moment('Of calls received then or later').optional(),
  ...{ client, limit, cursor },
});

const PLACES = {
  source: name('Source, in full').optional(),
  route: name('Route, in full').optional(),
  connection: name('Connection, in full').optional(),
  reason: name('What the code contains; where no code does, what the reason says').optional(),
  since: moment('Stopped then or later').optional(),
  until: moment('Stopped then or before').optional(),
};

export const UNRESOLVED_QUERY = z.strictObject({ ...PLACES, client, limit, cursor });
export const CLIENT_QUERY = z.strictObject({ client });
export const OMISSION_QUERY = z.strictObject({
  connection: name('Connection, in full').optional(),
  since: moment('Counted since then; default: a week').optional(),
  client,
});
export const AUDIT_QUERY = z.strictObject({
  action: z.enum(AUDIT_ACTIONS).optional(),
  by: name('Name of the operator').optional(),
  call_id: name('Only what was done to this call').optional(),
  since: moment('Done then or later').optional(),
  until: moment('Done then or before').optional(),
  ...{ client, limit, cursor },
});

const why = z
  .string()
  .trim()
  .min(1)
  .max(MAX_REASON_LENGTH)
  .meta({ description: 'Why; kept in ledger and audit. No names, numbers or addresses' });

const BULK = {
  filter: z
    .strictObject(PLACES)
    .default({})
    .meta({ description: 'Which of them; empty means all, and takes `all: true`' }),
  all: z.boolean().default(false).meta({ description: 'Required where the filter is empty' }),
  dry_run: z.boolean().default(false).meta({ description: 'Only count them' }),
};
export const REPLAY_MANY = z.strictObject(BULK).meta({ id: 'ReplayMany' });
export const DROP_MANY = z.strictObject({ ...BULK, why }).meta({ id: 'DropMany' });
export const DROP_ONE = z.strictObject({ why }).meta({ id: 'DropOne' });
const PERSON = {
  person: name('Id of one of the candidates; `new` where no person was found: one is created'),
  remember: z
    .boolean()
    .default(false)
    .meta({ description: 'Also for later calls of the same number or address, where a choice can last' }),
};
export const CHOOSE_ONE = z.strictObject(PERSON).meta({ id: 'ChooseOne' });
export const CHOOSE_ALIKE = z
  .strictObject({
    ...{ source: name('Source, in full'), call_id: z.string().min(1).max(1_000), route: name('Route, in full') },
    ...PERSON,
    dry_run: z.boolean().default(false).meta({ description: 'Only count them' }),
  })
  .meta({ id: 'ChooseAlike' });
export const PAUSE = z
  .strictObject({ why: why.optional() })
  .default({})
  .meta({ id: 'Pause', description: 'May be left out' });

export const NOTE = z.strictObject({ at: time('When'), by: z.string().optional() });

const RECORD = z.strictObject({
  name: z.string().meta({ description: '`person`, `call_log`, or the name of the record in the mapping' }),
  object: z.string(),
  id: z.string(),
  did: z.enum(['created', 'updated', 'unchanged']),
  url: z.string().optional(),
});

const TIMING = z
  .strictObject({
    queued: time('Added to its queue'),
    taken: time('A worker began the attempt'),
    planned: time('Its plan was made'),
    sent: time('Its batch went out'),
    batch_size: z.int().meta({ description: 'Deliveries that shared the requests' }),
    requests: z.array(
      z.strictObject({
        at: time('Began to wait for its share of the quota'),
        name: z.string().meta({ description: 'What it does: `create 3 calls`' }),
        result: z.string().meta({ description: '`ok`, or the code of the failure that it came to' }),
        waited: z.number().meta({ description: 'Ms that it waited for its share of the quota' }),
        took: z.number().optional().meta({ description: 'Ms until the answer; absent: it was not sent' }),
        status: z.int().optional().meta({ description: 'Of the answer' }),
        retry_after: z.number().optional().meta({ description: 'Ms that the CRM asks to wait' }),
      }),
    ),
    more_requests: z.int().meta({ description: 'Requests beyond those that are kept' }),
  })
  .meta({
    id: 'Timing',
    description:
      'Of the last attempt that was sent, and each request to the CRM that its batch took. Only where one call or delivery is read, and as long as the payload of a written call is kept',
  });

const DELIVERY_FIELDS = {
  route: z.string(),
  connection: z.string(),
  state: z.enum(DELIVERY_STATES),
  since: time('Last change of state'),
  attempts: z.int().meta({ description: 'Attempts begun' }),
  replays: z.int(),
  revision: z.string(),
  requests: z.number().meta({ description: 'Requests spent at the CRM, over all attempts' }),
  records: z.array(RECORD),
  notes: z.array(z.string()).meta({ description: 'What was done otherwise than asked, in words' }),
  code: z.string().optional().meta({ description: 'Why it stopped or waits; stays when it is dropped' }),
  reason: z.string().optional(),
  hint: z.string().optional().meta({ description: 'What to do' }),
  correlation_id: z.string().optional(),
  candidates: z.array(z.strictObject({ id: z.string(), url: z.string().optional() })).optional(),
  chosen: NOTE.extend({ person: z.string() }).optional(),
  replayed: NOTE.optional(),
  dropped: NOTE.extend({ reason: z.string() }).optional(),
  timing: TIMING.optional(),
};
const DELIVERY = z.strictObject(DELIVERY_FIELDS).meta({ id: 'Delivery' });
export const CALL_PLACE = { source: z.string(), call_id: z.string() };

export const DELIVERY_OF_CALL = z.strictObject({ ...CALL_PLACE, ...DELIVERY_FIELDS }).meta({ id: 'DeliveryOfCall' });

const STOPPED = z.strictObject({
  at: time('When'),
  code: z.string(),
  reason: z.string(),
  hint: z.string().optional(),
  state: z.enum(['parked', 'dead', 'dropped']),
  dropped: NOTE.extend({ reason: z.string() }).optional(),
});

export const CALL = z
  .strictObject({
    ...CALL_PLACE,
    received: z.enum(['webhook', 'reconciled', 'backfill']),
    received_at: time('Arrival'),
    verified: z.enum(['signature', 'api', 'none']),
    outcome: z.string().optional(),
    status: z.string().optional(),
    direction: z.string().optional(),
    agent_id: z.string().optional(),
    ended_at: time('End of the call').optional(),
    routed: z.boolean(),
    revisions: z.array(
      z.strictObject({
        hash: z.string(),
        at: time('Arrival'),
        effect: z.enum(['applied', 'added', 'equal', 'parked', 'hint', 'unrecognised']).optional(),
        verified: z.enum(['signature', 'api', 'none']).optional(),
      }),
    ),
    notes: z.array(z.string()),
    deliveries: z.array(DELIVERY),
    stopped: STOPPED.optional().meta({ description: 'It never got as far as its routes' }),
    waiting: z
      .strictObject({ since: time('When'), code: z.string(), reason: z.string(), hint: z.string().optional() })
      .optional()
      .meta({ description: 'It waits by itself' }),
    forgotten: NOTE.optional(),
  })
  .meta({ id: 'Call', description: 'What the ledger keeps of a call. It holds no personal data of callers' });

export const UNRESOLVED = z
  .strictObject({
    ...CALL_PLACE,
    route: z.string().nullable().meta({ description: 'null: the call never got as far as its routes' }),
    connection: z.string().nullable(),
    code: z.string(),
    reason: z.string(),
    hint: z.string(),
    attempts: z.int(),
    since: time('Stopped'),
    outcome: z.string().optional(),
    candidates: z.array(z.strictObject({ id: z.string(), url: z.string().optional() })).optional(),
    lasting: z.literal(true).optional().meta({ description: 'A choice can hold for later calls, too' }),
  })
  .meta({ id: 'Unresolved' });

export const DONE = z.strictObject({ done: z.enum(['replayed', 'dropped', 'moved', 'expired']) }).meta({
  id: 'Done',
  description: 'moved: its state does not allow it. expired: no payload is left to deliver. Neither changes anything',
});

export const RUN = z
  .strictObject({
    id: z.string(),
    state: z.enum(['parked', 'dead']),
    action: z.enum(['replay', 'drop', 'choose']),
    started: time('Begun'),
    moved_at: time('Last step'),
    ended: time('End').optional(),
    of: z.int().meta({ description: 'Items that it covers' }),
    done: z.int(),
    expired: z.int().meta({ description: 'Left: no payload to deliver' }),
    moved: z.int().meta({ description: 'Left: resolved by another process meanwhile' }),
    refused: z.int().meta({ description: 'Left: the person that was chosen is none of their candidates' }),
    left: z
      .array(
        z.strictObject({
          ...{ source: z.string(), call_id: z.string(), route: z.string().nullable() },
          why: z.enum(['moved', 'expired', 'no_candidate', 'only_said']),
        }),
      )
      .meta({ description: 'Which were left, the first 50' }),
    by: z.string().optional(),
  })
  .meta({ id: 'Run' });

export const BULK_ANSWER = z
  .union([
    z.strictObject({
      dry_run: z.literal(true),
      count: z.int(),
      exact: z.boolean().meta({ description: 'false: there may be more' }),
    }),
    z.strictObject({ dry_run: z.literal(false), run: RUN }),
  ])
  .meta({ id: 'BulkAnswer' });

export const PROBLEM = z
  .strictObject({
    type: z.string().meta({ description: '`urn:wrapup:problem:` and a stable code' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    hint: z.string().optional().meta({ description: 'What to do' }),
    errors: z
      .array(
        z.strictObject({
          at: z.string().meta({ description: 'Where: `query.limit`, `body.filter.since`' }),
          message: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/** A page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'Cursor of the next page; null at the end' }),
  });
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item) });
}
