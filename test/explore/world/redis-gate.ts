/**
 * Holds what logical processes send to Redis until the scheduler lets it go on, and gives Redis the world's clock: keys end when
 * the world's time has come, not the machine's. All processes share one connection, so that Redis does one thing at a time.
 */
import { hash } from 'node:crypto';
import { Command, Redis } from 'ioredis';
import { currentProcess, type LogicalProcess, type World } from './world.ts';

/** The prefix of the installation that is explored. */
export const PREFIX = 'explore';
const ENDS = `{${PREFIX}}~ends`;
const NOW = `{${PREFIX}}~now`;

/**
 * Stands in front of each script, in the place of `redis`: a key that is to end is noted in a sorted set by the world's time
 * instead, of which Redis knows nothing. Everything else goes to Redis as it is.
 */
const CLOCK_LUA = `
local real = redis
local redis = setmetatable({}, { __index = real })
local function endsAt(key, at) real.call('ZADD', '${ENDS}', at, key) end
local function now() return tonumber(real.call('GET', '${NOW}')) end
local function set(call, name, key, value, ...)
  local plain, options, ttl, kept, at = {}, {...}, nil, false, 1
  while at <= #options do
    local option = type(options[at]) == 'string' and string.upper(options[at]) or ''
    if option == 'PX' then ttl = tonumber(options[at + 1]) at = at + 1
    elseif option == 'EX' then ttl = tonumber(options[at + 1]) * 1000 at = at + 1
    elseif option == 'KEEPTTL' then kept = true
    else plain[#plain + 1] = options[at] end
    at = at + 1
  end
  local answer = call(name, key, value, unpack(plain))
  if answer then
    if ttl then endsAt(key, now() + ttl) elseif not kept then real.call('ZREM', '${ENDS}', key) end
  end
  return answer
end
local function del(call, name, ...)
  for _, key in ipairs({...}) do real.call('ZREM', '${ENDS}', key) end
  return call(name, ...)
end
local function expire(scale, absolute) return function(_, _, key, time)
  if real.call('EXISTS', key) == 0 then return 0 end
  local at = tonumber(time) * scale + (absolute and 0 or now())
  if at <= now() then real.call('DEL', key) real.call('ZREM', '${ENDS}', key) else endsAt(key, at) end
  return 1
end end
local function ttl(scale) return function(_, _, key)
  if real.call('EXISTS', key) == 0 then return -2 end
  local at = real.call('ZSCORE', '${ENDS}', key)
  return at and math.ceil((tonumber(at) - now()) / scale) or -1
end end
-- A set has no order of its own: each server has another one.
local function members(call, name, key)
  local answer = call(name, key)
  if not answer.err then table.sort(answer) end
  return answer
end
local special = {
  SMEMBERS = members,
  SET = set, DEL = del, UNLINK = del, EXPIRE = expire(1000), PEXPIRE = expire(1), EXPIREAT = expire(1000, true), PEXPIREAT = expire(1, true),
  TTL = ttl(1000), PTTL = ttl(1), PERSIST = function(_, _, key) return real.call('ZREM', '${ENDS}', key) end,
}
for name, own in pairs({ SET = set, DEL = del, SMEMBERS = members }) do special[string.lower(name)] = own end
function redis.call(name, ...)
  local own = special[name]
  if own then return own(real.call, name, ...) end
  return real.call(name, ...)
end
function redis.pcall(name, ...)
  local own = special[name]
  if own then return own(real.pcall, name, ...) end
  return real.pcall(name, ...)
end
`;

/** Commands that mean something else here: they are sent as a script. */
const AS_SCRIPT = new Set('set del unlink expire pexpire expireat pexpireat ttl pttl persist smembers'.split(' '));

/** An id of the workload's. */
const CALL = /\bcall-\d+\b/;
/** Their answers are the server's own: its memory, the order of its keys. */
const OWN_TO_SERVER = /^(?:wrapupInfo$|scan )/;

const EXPIRE_LUA = `
redis.call('SET', KEYS[2], ARGV[1])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
for _, key in ipairs(due) do redis.call('DEL', key) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
return #due
`;

interface IoredisCommand {
  name: string;
  args: (string | number | Buffer)[];
  promise: Promise<unknown>;
  replyEncoding?: string | null;
  toWritable: unknown;
  reject(error: Error): void;
}

interface IoredisClient {
  scriptsSet: Record<string, { sha: string; lua: string }>;
  status: string;
}

/** What one process has sent to Redis at once: a command, or a pipeline of several. */
export class RedisRequest {
  readonly kind = 'redis';
  readonly process: LogicalProcess;
  readonly commands: IoredisCommand[] = [];
  readonly #names: string[] = [];
  readonly #gate: RedisGate;
  readonly #client: IoredisClient;

  constructor(gate: RedisGate, process: LogicalProcess, client: IoredisClient) {
    this.process = process;
    this.#gate = gate;
    this.#client = client;
  }

  get what(): string {
    return this.#names.join(', ');
  }

  add(command: IoredisCommand): void {
    this.commands.push(command);
    this.#names.push(nameOf(command, this.#client));
  }

  /** The call that it is about, where its keys or arguments name one. */
  get call(): string | undefined {
    return this.commands
      .flatMap(({ args }) => args)
      .map((word) => CALL.exec(String(word).slice(0, 300))?.[0])
      .find(Boolean);
  }

  /** Redis does it, and the process learns of it. @returns a digest of what was asked and answered */
  async send(): Promise<string> {
    const asked = this.commands.map(({ args }) => args.map(textOf).join(' ')).join('\n');
    for (const command of this.commands) await this.#gate.prepare(command, this.#client);
    const answers = await this.#gate.passAll(this.commands);
    const answered = OWN_TO_SERVER.test(this.what) ? '' : JSON.stringify(answers);
    return hash('sha1', `${asked}\n${answered}`).slice(0, 8);
  }

  /** Redis does it, and the process does not learn of it. */
  async apply(): Promise<void> {
    for (const { name, args, replyEncoding } of this.commands) {
      const copy = new Command(name, [...args] as string[], { replyEncoding: replyEncoding as never }) as never;
      await this.#gate.prepare(copy, this.#client);
      await this.#gate.pass(copy).catch(() => {});
    }
  }

  /** To the process Redis did not answer in time. */
  refuse(): void {
    for (const command of this.commands) command.reject(new Error('Command timed out'));
  }
}

/** Names of scripts by their SHA-1. */
const names = new Map<string, string>();

function nameOf({ name, args: [first = ''] }: IoredisCommand, { scriptsSet }: IoredisClient): string {
  if (name !== 'evalsha') return `${name} ${String(first).replace(`{${PREFIX}}:`, '')}`.trim();
  const sha = String(first);
  if (!names.has(sha)) for (const [script, one] of Object.entries(scriptsSet)) names.set(one.sha, script);
  return names.get(sha) ?? sha;
}

function luaOf(sha: string, { scriptsSet }: IoredisClient): string {
  const script = Object.values(scriptsSet).find((one) => one.sha === sha);
  if (!script) throw new Error(`Script ${sha} is not defined on the client.`);
  return script.lua;
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

export class RedisGate {
  readonly #world: Pick<World, 'now'>;
  readonly #shared: Redis;
  readonly #send = Redis.prototype.sendCommand;
  readonly #connect = Redis.prototype.connect;
  readonly #pipelines = new WeakMap<object, RedisRequest>();
  /** SHA-1 as it is loaded, by that under which the client knows a script. */
  readonly #loaded: Map<string, string>;
  readonly #hold: (request: RedisRequest) => void;
  readonly #look: () => void;
  /** The time that Redis goes by. */
  #now = 0;

  /**
   * @param hold given each request of a process
   * @param look called when one was sent, before it is answered
   */
  constructor(
    world: Pick<World, 'now'>,
    { shared, loaded }: { shared: Redis; loaded: Map<string, string> },
    hold: (request: RedisRequest) => void,
    look: () => void,
  ) {
    this.#look = look;
    this.#world = world;
    this.#shared = shared;
    this.#loaded = loaded;
    this.#hold = hold;
  }

  /** @returns what takes it off again */
  install(): () => void {
    const gate = this;
    Redis.prototype.sendCommand = function (this: Redis, command: never, stream?: never) {
      const process = currentProcess();
      if (!process) return gate.#send.call(this, command, stream);
      return gate.#take(process, this as never, command, stream);
    } as never;
    Redis.prototype.connect = function (this: Redis, callback?: never) {
      if (!currentProcess()) return gate.#connect.call(this, callback);
      (this as unknown as IoredisClient).status = 'ready';
      return Promise.resolve();
    };
    return () => {
      Redis.prototype.sendCommand = this.#send;
      Redis.prototype.connect = this.#connect;
    };
  }

  #take(process: LogicalProcess, client: IoredisClient, command: IoredisCommand, stream?: object): Promise<unknown> {
    if (process.isGone) return command.promise;
    const known = stream && this.#pipelines.get(stream);
    const request = known ?? new RedisRequest(this, process, client);
    request.add(command);
    if (stream) this.#pipelines.set(stream, request);
    if (!known) this.#hold(request);
    return command.promise;
  }

  /** Gives the command the world's clock. */
  async prepare(command: IoredisCommand, client: IoredisClient): Promise<void> {
    const [sha] = command.args as [string];
    if (command.name === 'evalsha') {
      command.args[0] = this.#loaded.get(sha) ?? (await this.#load(sha, luaOf(sha, client)));
    } else if (AS_SCRIPT.has(command.name)) {
      const own = await this.#load('one command', 'return redis.call(unpack(ARGV))');
      const words = command.args.map((word) => (typeof word === 'number' ? String(word) : word));
      command.args = [own, '0', command.name.toUpperCase(), ...words];
      command.name = 'evalsha';
    }
    command.toWritable = Command.prototype.toWritable;
  }

  async #load(sha: string, lua: string): Promise<string> {
    const known = this.#loaded.get(sha);
    if (known) return known;
    const own = (await this.#shared.script('LOAD', CLOCK_LUA + lua)) as string;
    this.#loaded.set(sha, own);
    return own;
  }

  /** Sends commands at once, and what looks at what they did. */
  async passAll(commands: readonly IoredisCommand[]): Promise<unknown[]> {
    const { stream } = this.#shared as unknown as { stream: { cork(): void; uncork(): void } };
    stream.cork();
    const answers = commands.map((command) => this.pass(command).catch((error: Error) => error.message));
    this.#look();
    stream.uncork();
    return Promise.all(answers);
  }

  pass(command: IoredisCommand): Promise<unknown> {
    return this.#send.call(this.#shared, command as never) as Promise<unknown>;
  }

  /** Lets the keys end whose time has come. @param exactly however little time has passed */
  async tick(exactly = false): Promise<void> {
    if (!exactly && this.#world.now - this.#now < 50) return;
    this.#now = this.#world.now;
    await this.#shared.eval(EXPIRE_LUA, 2, ENDS, NOW, this.#now);
  }

  /** Begins anew, with nothing in Redis. */
  async reset(): Promise<void> {
    await this.#shared.flushdb();
    await this.tick(true);
  }
}
