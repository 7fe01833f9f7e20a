/** What the API answers of connections, digests, clients, lost fields and the audit: of the installation, not of one call. */
import { AUDIT_ACTIONS, OPERATOR_WAYS } from '@wrapup/queue';
import { z } from 'zod';
import { CALL_PLACE, NOTE, time } from './schemas.ts';

const DAILY = z.strictObject({
  limit: z.number(),
  remaining: z.number(),
  at: time('As the CRM said'),
  hourly: z.number().optional().meta({ description: 'Requests an hour, by all programs of the account' }),
  used_up_at: time('At this rate').optional(),
});

export const CONNECTION = z
  .strictObject({
    connection: z.string(),
    kind: z.string().nullable().meta({ description: 'null: it is not configured any more' }),
    circuit: z.enum(['open', 'trial', 'closed']).meta({ description: 'open: it stopped itself' }),
    pause: z
      .strictObject({
        ...{ cause: z.string(), code: z.string(), reason: z.string(), hint: z.string().optional() },
        ...{ since: time('Begun'), next_probe: time('Next probe') },
      })
      .optional(),
    operator: z
      .strictObject({ since: time('Begun'), reason: z.string().optional(), by: z.string().optional() })
      .optional()
      .meta({ description: 'An operator paused it' }),
    resumed: NOTE.optional(),
    ...{ waiting: z.int(), active: z.int(), delayed: z.int(), failed: z.int() },
    routes: z.array(z.string()),
  })
  .meta({ id: 'Connection' });

export const DIGEST = z
  .strictObject({
    name: z.string(),
    client: z.string().nullable().meta({ description: 'Whose calls it is about; null: all' }),
    to: z.string().meta({ description: 'Connection that it goes over' }),
    every: z.enum(['day', 'week']),
    at: z.string().meta({ description: 'Time of day at which it is due: `08:00`' }),
    time_zone: z.string().meta({ description: 'IANA name' }),
    mapping: z.string(),
    next: time('Due next'),
    last: z
      .strictObject({
        period: z.string().meta({ description: '`2026-W48`, or a day' }),
        state: z.enum(['sent', 'retrying', 'failed']),
        at: time('Last attempt'),
        attempts: z.int(),
        code: z.string().optional().meta({ description: 'Why the last attempt failed' }),
        reason: z.string().optional(),
      })
      .optional()
      .meta({ description: 'What became of the last one; absent: none was due yet' }),
  })
  .meta({ id: 'Digest' });

export const QUOTA = z
  .strictObject({
    connection: z.string(),
    daily: DAILY.nullable().meta({ description: 'null: its CRM says nothing of one' }),
  })
  .meta({ id: 'Quota' });

export const CLIENT = z
  .strictObject({
    client: z.string().nullable().meta({ description: 'null: what stands in wrapup.yaml itself' }),
    state: z.enum(['current', 'last_good', 'unusable', 'unconfigured']).nullable(),
    errors: z.int().meta({ description: 'Of its file' }),
    today: z.int().meta({ description: 'Calls since midnight, UTC' }),
    parked: z.int(),
    dead: z.int(),
    paused: z.array(z.string()),
    last_webhook: time('Arrival').optional(),
  })
  .meta({ id: 'Client' });

export const OMISSION = z
  .strictObject({
    id: z.string(),
    connection: z.string(),
    code: z.string(),
    record: z.string(),
    field: z.string().optional(),
    reason: z.string(),
    hint: z.string(),
    file: z.string(),
    line: z.int(),
    calls: z.int().meta({ description: 'Calls that lost it in that time' }),
    open: z.int().meta({ description: 'Calls that lack it still' }),
    more: z.boolean(),
    last: time('Last one'),
    latest: z.array(z.strictObject({ ...CALL_PLACE, route: z.string() })),
  })
  .meta({ id: 'Omission' });

export const AUDITED = z
  .strictObject({
    id: z.string(),
    at: time('When'),
    by: z.string(),
    via: z.enum(OPERATOR_WAYS),
    from: z.string().meta({ description: 'Address, or host of a command' }),
    client: z.string().optional(),
    action: z.enum(AUDIT_ACTIONS),
    source: z.string().optional(),
    call_id: z.string().optional(),
    route: z.string().optional(),
    connection: z.string().optional(),
    target: z.string().optional(),
    hash: z.strictObject({ before: z.string().optional(), after: z.string().optional() }).optional(),
    record: z.string().optional(),
    lasting: z.literal(true).optional(),
    reason: z.string().optional(),
    was: z.strictObject({ state: z.string(), code: z.string().optional() }).optional(),
    run: z.string().optional(),
    of_state: z.enum(['parked', 'dead']).optional(),
    filter: z.record(z.string(), z.unknown()).optional(),
    of: z.int().optional(),
    done: z.int().optional(),
    expired: z.int().optional(),
    step: z.enum(['begun', 'ended']).optional(),
  })
  .meta({ id: 'AuditEntry' });
