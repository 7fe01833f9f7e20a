/**
 * The changes of a connection's state, each one step in Redis. It is a hash: `circuit` (JSON, while open), `trial` (JSON,
 * while resumed and not proved), `failures` (outages in a row), `probing` (epoch ms until which a process probes),
 * `operator` (JSON, while a person has paused it).
 *
 * Each script that changes what others must know notes the connection in the sorted set of changes, in the same step: the
 * second key, with the connection as the last argument. A process reads what has changed since it last looked, and not the
 * state of every connection.
 */
import { AUDIT_LUA } from '../audit/audit-entry.ts';
import { defineScript } from '../redis/client.ts';

/** Ms to the probe after so many tries. */
const WAIT = `
local function wait(tries, first, longest) return math.min(longest, first * 2 ^ math.min(tries, 20)) end
`;

/** Numbers the change: the highest number is the version of the states of all connections. */
const NOTE_CHANGE = `
local function changed()
  local top = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', KEYS[2], (tonumber(top) or 0) + 1, ARGV[#ARGV])
end
`;

/**
 * An operator's pause begins, or ends. KEYS state, changes, audit. ARGV the pause as JSON, or nothing for its end; who ended it as
 * JSON, where it is known; entry of the audit or nothing; connection. A pause that exists stays as it is, and has its entry already.
 */
export const setOperatorPause = defineScript<null>(
  'wrapupOperatorPause',
  `${NOTE_CHANGE}${AUDIT_LUA}
local did = 1
if ARGV[1] ~= '' then did = redis.call('HSETNX', KEYS[1], 'operator', ARGV[1]) else redis.call('HDEL', KEYS[1], 'operator') end
if did == 1 then noteAudit(KEYS[3], ARGV[3]) end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'resumed', ARGV[2]) end
changed()
`,
);

/** KEYS changes. ARGV version. Answers the version of now, and the connections whose state has changed since that one. */
export const readChanges = defineScript<[number, string[]]>(
  'wrapupConnectionChanges',
  `
local top = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
return { tonumber(top) or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf') }
`,
);

/**
 * Notes what a batch said. KEYS state, changes. ARGV now, `answered` | `unanswered` | `broken`, pause JSON (cause, code,
 * reason, hint), first ms, longest ms, outages in a row that open it, connection. Answers `{}` when nothing changed, else what
 * did and the pause: `opened`, `reopened` or `closed`.
 */
export const noteAnswer = defineScript<[] | ['opened' | 'reopened' | 'closed', string]>(
  'wrapupCircuitNote',
  `${WAIT}${NOTE_CHANGE}
local now, says = tonumber(ARGV[1]), ARGV[2]
local open, trial = redis.call('HGET', KEYS[1], 'circuit'), redis.call('HGET', KEYS[1], 'trial')
if says == 'answered' then
  redis.call('HDEL', KEYS[1], 'failures')
  -- Batches that were under way when it opened say nothing about what broke it.
  if open or not trial then return {} end
  redis.call('HDEL', KEYS[1], 'trial')
  changed()
  return { 'closed', trial }
end
if open then return {} end
if says == 'unanswered' and redis.call('HINCRBY', KEYS[1], 'failures', 1) < tonumber(ARGV[6]) and not trial then return {} end
local pause = cjson.decode(ARGV[3])
pause.since, pause.tries = now, 0
if trial then
  local before = cjson.decode(trial)
  pause.since, pause.tries = before.since, before.tries + 1
end
pause.next_probe = now + wait(pause.tries, tonumber(ARGV[4]), tonumber(ARGV[5]))
local text = cjson.encode(pause)
redis.call('HSET', KEYS[1], 'circuit', text)
redis.call('HDEL', KEYS[1], 'failures', 'trial', 'probing')
changed()
return { trial and 'reopened' or 'opened', text }
`,
);

/** Takes the right to probe. KEYS state. ARGV now, ms for the probe. Answers the pause, or nothing when none is due. */
export const claimProbe = defineScript<string | null>(
  'wrapupCircuitClaim',
  `
local now = tonumber(ARGV[1])
local text = redis.call('HGET', KEYS[1], 'circuit')
if not text or cjson.decode(text).next_probe > now then return nil end
local probing = tonumber(redis.call('HGET', KEYS[1], 'probing') or '0')
if probing > now then return nil end
redis.call('HSET', KEYS[1], 'probing', now + tonumber(ARGV[2]))
return text
`,
);

/**
 * Notes a probe's end. KEYS state, changes. ARGV now, pause JSON of a failed one (cause, code, reason, hint) or nothing, first
 * ms, longest ms, connection. Answers 1, or 0 when the circuit is not open any more.
 */
export const endProbe = defineScript<number>(
  'wrapupCircuitProbed',
  `${WAIT}${NOTE_CHANGE}
local now = tonumber(ARGV[1])
local text = redis.call('HGET', KEYS[1], 'circuit')
redis.call('HDEL', KEYS[1], 'probing')
if not text then return 0 end
changed()
local pause = cjson.decode(text)
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'circuit')
  pause.next_probe = now
  redis.call('HSET', KEYS[1], 'trial', cjson.encode(pause))
  return 1
end
local fresh = cjson.decode(ARGV[2])
fresh.since, fresh.tries = pause.since, pause.tries + 1
fresh.next_probe = now + wait(fresh.tries, tonumber(ARGV[3]), tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'circuit', cjson.encode(fresh))
return 1
`,
);

/**
 * Ends a trial in which nothing failed. KEYS state, changes. ARGV epoch ms before which it must have begun, connection. Answers
 * the pause that was, or nothing.
 */
export const endTrial = defineScript<string | null>(
  'wrapupCircuitTrial',
  `${NOTE_CHANGE}
local text = redis.call('HGET', KEYS[1], 'trial')
if not text or cjson.decode(text).next_probe > tonumber(ARGV[1]) then return nil end
redis.call('HDEL', KEYS[1], 'trial', 'failures')
changed()
return text
`,
);

/** Makes the next probe due now. KEYS state, changes. ARGV now, connection. Answers 1, or 0 when the circuit is not open. */
export const probeNow = defineScript<number>(
  'wrapupCircuitProbeNow',
  `${NOTE_CHANGE}
local text = redis.call('HGET', KEYS[1], 'circuit')
if not text then return 0 end
local pause = cjson.decode(text)
pause.next_probe = math.min(pause.next_probe, tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'circuit', cjson.encode(pause))
changed()
return 1
`,
);
