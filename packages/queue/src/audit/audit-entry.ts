/**
 * The record of what operators did. An entry is one action: who, from where, what, and on what. It names calls, deliveries and
 * connections, and holds nothing personal of callers.
 *
 * An action that is one script in Redis writes its entry in that script (`AUDIT_LUA`), a run of many in the transactions that
 * begin and end it, so that there is no action without its entry. What is done elsewhere, such as a look into a CRM, is noted
 * before.
 */
import { clientOf } from '@wrapup/call';
import { scrub } from '@wrapup/destination';
import type { UnresolvedFilter, UnresolvedState } from '../unresolved/unresolved-filter.ts';

/** How an operator came in. */
export const OPERATOR_WAYS = ['dashboard', 'command line', 'API'] as const;

/** Who acts, and from where. */
export interface AuditedOperator {
  /** Of a login or a token, or of the user of the operating system on the command line. */
  name: string;
  /** Without it the action is that of another installation, which has its own record: no entry is written. */
  via?: (typeof OPERATOR_WAYS)[number];
  /** Address of the client; on the command line name of the host. */
  from?: string;
  /** Client that the login or token is bound to. */
  client?: string;
}

export const AUDIT_ACTIONS = [
  'replay',
  'drop',
  'choose',
  'remove choice',
  'replay many',
  'drop many',
  'choose many',
  'resume run',
  'replay omissions',
  'pause',
  'resume',
  'look up',
  'read payload',
  'provision',
  'forget',
  'backfill',
  'reconcile',
  'change client',
  'export client',
  'change mapping',
  'change encryption',
  'change access',
  'sign in',
  'sign out',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What was done, and on what. */
export interface AuditedAction {
  action: AuditAction;
  /** The call, and the route of the delivery where it is one. */
  source?: string;
  call_id?: string;
  route?: string;
  connection?: string;
  /** Whose it was, where neither call nor connection says so. */
  client?: string;
  /** A client, login, token, file or line that it was done to. */
  target?: string;
  /** Of a mapping that was changed: its hash before and after. Absent where it had errors. */
  hash?: { before?: string; after?: string };
  /** Id of a record in the CRM that was chosen. */
  record?: string;
  /** A choice holds for later calls, too. */
  lasting?: true;
  /** Why, as the operator wrote it; scrubbed. */
  reason?: string;
  /** Of a run of many: its id, which deliveries it takes, and how many. */
  run?: string;
  of_state?: UnresolvedState;
  filter?: UnresolvedFilter;
  of?: number;
  /** At its end: how many were done, and how many could not be replayed as their payload has expired. */
  done?: number;
  expired?: number;
  /** Begun, or ended. Absent of what is one step. */
  step?: 'begun' | 'ended';
}

/** An entry as it is read. */
export interface AuditEntry extends AuditedAction {
  /** Its place: entries are ordered by it. */
  id: string;
  /** Epoch ms, by the clock of Redis. */
  at: number;
  by: string;
  via: NonNullable<AuditedOperator['via']>;
  from: string;
  /** State and code of the delivery or call before. */
  was?: { state: string; code?: string };
}

/** Characters of a text that an operator typed. */
const MAX_TEXT = 300;

/**
 * The text of an entry, for a script or for `Audit.note`; empty where none is to be written.
 * @param operator undefined: the system itself acts
 */
export function writeAudit(operator: AuditedOperator | undefined, what: AuditedAction): string {
  if (operator?.via === undefined) return '';
  const { name: by, via, from = '' } = operator;
  const { action } = what;
  const { reason, filter, ...plain } = what;
  const client =
    what.client ??
    clientOf(what.source ?? what.connection ?? what.route ?? '') ??
    (action.endsWith(' client') ? what.target : undefined) ??
    filter?.client ??
    clientOf(filter?.source ?? filter?.connection ?? filter?.route ?? '') ??
    operator.client;
  return JSON.stringify({
    ...{ by, via, from },
    ...plain,
    ...(client === undefined ? {} : { client }),
    ...(reason ? { reason: scrub(reason, MAX_TEXT) } : {}),
    ...(filter ? { filter: plainFilter(filter) } : {}),
  });
}

/** The call of the entry stands for the digest: a record that `forget` does not reach holds none. */
function plainFilter({ digest: _, text, ...filter }: UnresolvedFilter): UnresolvedFilter {
  return { ...filter, ...(text ? { text: scrub(text, MAX_TEXT) } : {}) };
}

/** Entries that are kept at most, whatever the retention: some 60 MB. Beyond it the oldest go. */
export const MAX_AUDIT_ENTRIES = 200_000;

/**
 * Lua: `noteAudit(key, text, before)` appends an entry, unless its text is empty. `before` is the delivery or the stopped call as
 * it was, where there is one.
 */
export const AUDIT_LUA = `
local function noteAudit(key, text, before)
  if not text or text == '' then return end
  if before then
    local entry = cjson.decode(text)
    entry.was = { state = before.state or 'dead', code = before.code }
    text = cjson.encode(entry)
  end
  redis.call('XADD', key, 'MAXLEN', '~', ${MAX_AUDIT_ENTRIES}, '*', 'entry', text)
end
`;
