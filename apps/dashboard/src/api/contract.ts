/** Every operation of the API: its path, what it takes and answers, and the right that it needs. */
import type { UnresolvedState } from '@wrapup/queue';
import type { z } from 'zod';
import type { Right } from '../security/rights.ts';
import * as installation from './installation-schemas.ts';
import * as s from './schemas.ts';

export interface ApiOperation {
  method: 'get' | 'post';
  /** As OpenAPI has it, below `/api/v1`. */
  path: string;
  right: Right;
  summary: string;
  /** Only for tokens of the whole installation. */
  whole?: true;
  query?: z.ZodObject;
  body?: z.ZodType;
  answer: z.ZodType;
  /** Statuses of refusals, beside those that each operation has. */
  refusals?: number[];
}

const CALL_PATH = '/calls/{source}/{call_id}';
const DELIVERY_PATH = '/deliveries/{source}/{call_id}/{route}';

/** The same three of what is parked and of what is dead. */
function unresolvedOperations(state: UnresolvedState, summary: string) {
  const many = { method: 'post', answer: s.BULK_ANSWER } as const;
  return {
    list: {
      ...{ method: 'get', path: `/${state}`, right: 'read', query: s.UNRESOLVED_QUERY, answer: s.pageOf(s.UNRESOLVED) },
      summary,
    },
    replay: {
      ...{ ...many, path: `/${state}/replay`, right: 'replay', body: s.REPLAY_MANY },
      summary: 'Replays all that a filter names; a long run goes on behind the answer',
    },
    drop: {
      ...{ ...many, path: `/${state}/drop`, right: 'drop', body: s.DROP_MANY },
      summary: 'Drops all that a filter names; a long run goes on behind the answer',
    },
  } as const satisfies Record<string, ApiOperation>;
}

const PARKED = unresolvedOperations('parked', 'What waits for a person, newest first');
const DEAD = unresolvedOperations('dead', 'What the system gave up after its retries, newest first');

export const OPERATIONS = {
  listCalls: {
    ...{ method: 'get', path: '/calls', right: 'read', query: s.CALL_QUERY, answer: s.pageOf(s.CALL) },
    summary: 'Calls, newest first. A search for few among many may answer a short page with a cursor that goes on',
  },
  readCall: {
    ...{ method: 'get', path: CALL_PATH, right: 'read', answer: s.CALL, refusals: [404] },
    summary: 'One call: how it came, and what became of each delivery',
  },
  replayCall: {
    ...{ method: 'post', path: `${CALL_PATH}/replay`, right: 'replay', answer: s.DONE, refusals: [404] },
    summary: 'Lets a call that stopped before its routes try again',
  },
  dropCall: {
    ...{ method: 'post', path: `${CALL_PATH}/drop`, right: 'drop', body: s.DROP_ONE, answer: s.DONE, refusals: [404] },
    summary: 'Gives up a call that stopped before its routes',
  },
  listDeliveries: {
    ...{
      method: 'get',
      path: '/deliveries',
      right: 'read',
      query: s.DELIVERY_QUERY,
      answer: s.pageOf(s.DELIVERY_OF_CALL),
    },
    summary:
      'Deliveries, those of the newest calls first. A page ends with a call, so that it may hold some more than `limit`',
  },
  readDelivery: {
    ...{ method: 'get', path: DELIVERY_PATH, right: 'read', answer: s.DELIVERY_OF_CALL, refusals: [404] },
    summary: 'One delivery',
  },
  replayDelivery: {
    ...{ method: 'post', path: `${DELIVERY_PATH}/replay`, right: 'replay', answer: s.DONE, refusals: [404] },
    summary: 'Delivers again what is parked, dead, dropped, skipped or written, with the mapping of now',
  },
  dropDelivery: {
    ...{
      method: 'post',
      path: `${DELIVERY_PATH}/drop`,
      right: 'drop',
      body: s.DROP_ONE,
      answer: s.DONE,
      refusals: [404],
    },
    summary: 'Gives up what is parked, dead or queued; why it had stopped stays beside the reason',
  },
  chooseDelivery: {
    ...{ method: 'post', path: `${DELIVERY_PATH}/choose`, right: 'decide', body: s.CHOOSE_ONE, answer: s.DONE },
    summary: 'Says which of its candidates an ambiguous delivery is about, and delivers it so',
    refusals: [404],
  },
  listParked: PARKED.list,
  replayParked: PARKED.replay,
  dropParked: PARKED.drop,
  chooseParked: {
    ...{ method: 'post', path: '/parked/choose', right: 'decide', body: s.CHOOSE_ALIKE, answer: s.BULK_ANSWER },
    summary:
      'Chooses the person for an ambiguous delivery and for all that are parked for the same number or address on its route; a long run goes on behind the answer',
    refusals: [404],
  },
  listDead: DEAD.list,
  replayDead: DEAD.replay,
  dropDead: DEAD.drop,
  readRun: {
    ...{ method: 'get', path: '/runs/{id}', right: 'read', answer: s.RUN, refusals: [404] },
    summary: 'How far a replay or drop of many has come',
  },
  listConnections: {
    ...{
      method: 'get',
      path: '/connections',
      right: 'read',
      query: s.CLIENT_QUERY,
      answer: s.listOf(installation.CONNECTION),
    },
    summary: 'Connections, what waits for each, and who stopped one',
  },
  pauseConnection: {
    ...{
      method: 'post',
      path: '/connections/{name}/pause',
      right: 'pause',
      body: s.PAUSE,
      answer: installation.CONNECTION,
      refusals: [404],
    },
    summary: 'Pauses writing to it until it is resumed; its calls are kept',
  },
  resumeConnection: {
    ...{
      method: 'post',
      path: '/connections/{name}/resume',
      right: 'pause',
      answer: installation.CONNECTION,
      refusals: [404],
    },
    summary: 'Ends the pause of an operator; one that stopped itself is probed at once',
  },
  listDigests: {
    ...{ method: 'get', path: '/digests', right: 'read', query: s.CLIENT_QUERY, answer: s.listOf(installation.DIGEST) },
    summary: 'Digests that are configured: when each goes out next, and what became of the last one',
  },
  listClients: {
    ...{ method: 'get', path: '/clients', right: 'read', answer: s.listOf(installation.CLIENT), whole: true },
    summary: 'How each client stands, those first that need a person most',
  },
  listOmissions: {
    ...{
      method: 'get',
      path: '/omissions',
      right: 'read',
      query: s.OMISSION_QUERY,
      answer: s.listOf(installation.OMISSION),
    },
    summary: 'Fields that were left out of calls, by line of the mapping and by why',
  },
  listQuotas: {
    ...{ method: 'get', path: '/quotas', right: 'read', query: s.CLIENT_QUERY, answer: s.listOf(installation.QUOTA) },
    summary: 'What is left of the daily quota of each connection',
  },
  listAudit: {
    ...{ method: 'get', path: '/audit', right: 'audit', query: s.AUDIT_QUERY, answer: s.pageOf(installation.AUDITED) },
    summary: 'What operators did, newest first',
  },
} as const satisfies Record<string, ApiOperation>;
export type OperationId = keyof typeof OPERATIONS;
