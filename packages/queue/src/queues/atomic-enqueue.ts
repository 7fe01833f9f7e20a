/**
 * Runs a script of ours and adds a job to BullMQ in one step of Redis: one round trip, one fsync, and no moment between the
 * two at which a crash could separate them. One command takes several such pairs; one that fails leaves the others. In the
 * same step the job's queue is noted as busy, and its bell is rung (`queues/busy-queues.ts`).
 *
 * BullMQ adds a job by a Lua script. Ours is put in front of it, in one script. Nothing here knows how BullMQ stores its
 * jobs: the script is the one that it has defined on the client, and its keys and arguments are those that `Job.addJob`
 * gives to a client that only records them. Where BullMQ has not defined its scripts, the two run one after the other, ours
 * first.
 */
import { Job, type JobsOptions, type Queue } from 'bullmq';
import { type RedisClient, runScript } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

export interface AtomicStep {
  /** Under which the script is defined on the client. */
  name: string;
  lua: string;
  /** The answer, or the answers, on which no job is added. */
  unless: string | readonly string[];
}

export interface NewJob<Data> {
  name: string;
  data: Data;
  opts: JobsOptions & { jobId: string };
}

/** One call of the step, and its job. Every one has as many keys and as many arguments as the others. */
export interface StepAndJob {
  keys: string[];
  args: (string | number | Buffer)[];
  queue: Queue;
  job: NewJob<unknown>;
  /** Leaves the bell alone: this process takes the job itself. */
  isQuiet?: boolean;
}

interface EnqueueParts {
  redis: RedisClient;
  keys: Pick<Keys, 'busy' | 'bell'>;
}

/** A step that does nothing: only the job is added. */
export const JOB_ONLY: AtomicStep = { name: 'wrapupAdd', lua: `return 'added'`, unless: [] };

/**
 * @param pairs at most some hundreds: Redis does nothing else meanwhile
 * @returns what the step answered, in the order of the pairs, or the error that this one pair met
 * @throws Error when Redis did not answer: each of them may have happened or not
 */
export async function enqueueAtomically<Answer extends string>(
  { redis, keys }: EnqueueParts,
  step: AtomicStep,
  pairs: readonly StepAndJob[],
): Promise<(Answer | Error)[]> {
  const recorded = await Promise.all(pairs.map(async (pair) => ({ ...pair, add: await recordAdding(pair) })));
  const answers = new Map<RecordedPair, Answer | Error>();
  // How BullMQ adds a job depends on whether it has a priority or a delay.
  const byCommand = Map.groupBy(recorded, ({ add }) => add.command);
  await Promise.all(
    [...byCommand].map(async ([command, alike]) => {
      const script = scriptOf(redis, command);
      const found = script
        ? await runTogether<Answer>({ redis, keys }, step, script, alike)
        : await runApart<Answer>({ redis, keys }, step, alike);
      alike.forEach((pair, index) => void answers.set(pair, found[index] as Answer | Error));
    }),
  );
  return recorded.map((pair) => answers.get(pair) as Answer | Error);
}

interface RecordedPair extends StepAndJob {
  add: Recorded;
}

/** @param pairs at least one, all of which BullMQ adds by this script */
function runTogether<Answer extends string>(
  { redis, keys: { busy, bell } }: EnqueueParts,
  step: AtomicStep,
  { lua, numberOfKeys }: Script,
  pairs: readonly RecordedPair[],
): Promise<(Answer | Error)[]> {
  const [first] = pairs as [RecordedPair];
  // BullMQ's keys are the queue's, and so the same for all of its jobs; its arguments are the job's.
  const queues = [...new Map(pairs.map(({ queue, add }) => [queue.name, add.args.slice(0, numberOfKeys) as string[]]))];
  const places = new Map(queues.map(([name], index) => [name, index]));
  const keys = [busy, bell, ...queues.flatMap(([, own]) => own), ...pairs.flatMap((pair) => pair.keys)];
  const args = pairs.flatMap(({ queue, isQuiet, args, add }) => [
    places.get(queue.name) as number,
    isQuiet ? '' : '1',
    ...args,
    ...add.args.slice(numberOfKeys),
  ]);
  return runScript<(Answer | Error)[]>(redis, `${step.name}:${first.add.command}`, () => together(step, lua), keys, [
    ...[pairs.length, numberOfKeys, first.args.length, Date.now(), queues.length],
    ...queues.map(([name]) => name),
    ...args,
  ]);
}

/** KEYS busy, bell. ARGV now, name of the queue, '1' to ring. Before the job is added: the three are one step. */
const NOTE_LUA = `
redis.call('SADD', KEYS[1], ARGV[2])
if ARGV[3] == '1' then redis.call('ZADD', KEYS[2], 'NX', ARGV[1], ARGV[2]) end
`;

/** Each script in a function of its own, with its own KEYS and ARGV. Redis undoes nothing of a script that fails. */
function together({ lua, unless }: AtomicStep, add: string): string {
  return `
local function step(KEYS, ARGV)
${lua}
end
local function note(KEYS, ARGV)
${NOTE_LUA}
end
local function add(KEYS, ARGV)
${add}
end
local function slice(list, from, count)
  return { unpack(list, from, from + count - 1) }
end
local pairs, addKeys, stepArgs, now, queues = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local argsFrom, keysFrom = 6 + queues, 3 + queues * addKeys
local keysEach, argsEach = (#KEYS - keysFrom + 1) / pairs, (#ARGV - argsFrom + 1) / pairs
local unless = {${[unless]
    .flat()
    .map((answer) => `['${answer}'] = true`)
    .join(', ')}}
local function run(pair)
  local from = argsFrom + pair * argsEach
  local queue = tonumber(ARGV[from])
  local answer = step(slice(KEYS, keysFrom + pair * keysEach, keysEach), slice(ARGV, from + 2, stepArgs))
  if unless[answer] then return answer end
  note(KEYS, { now, ARGV[6 + queue], ARGV[from + 1] })
  local id = add(slice(KEYS, 3 + queue * addKeys, addKeys), slice(ARGV, from + 2 + stepArgs, argsEach - 2 - stepArgs))
  if type(id) == 'number' then return redis.error_reply('ERR the job could not be added: ' .. id) end
  return answer
end
local answers = {}
for pair = 0, pairs - 1 do
  local ran, answer = pcall(run, pair)
  if not ran and type(answer) ~= 'table' then answer = redis.error_reply(tostring(answer)) end
  answers[pair + 1] = answer
end
return answers
`;
}

async function runApart<Answer extends string>(
  { redis, keys: own }: EnqueueParts,
  step: AtomicStep,
  pairs: readonly StepAndJob[],
): Promise<(Answer | Error)[]> {
  const results = await Promise.allSettled(
    pairs.map(async ({ keys, args, queue, job, isQuiet }) => {
      const answer = await runScript<Answer>(redis, step.name, () => step.lua, keys, args);
      if ([step.unless].flat().includes(answer)) return answer;
      const noted = [Date.now(), queue.name, isQuiet ? '' : '1'];
      await runScript<null>(redis, 'wrapupNoteBusy', () => NOTE_LUA, [own.busy, own.bell], noted);
      await queue.add(job.name, job.data, job.opts);
      return answer;
    }),
  );
  return results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error)));
}

interface Recorded {
  command: string;
  args: (string | Buffer)[];
}

/** What BullMQ would run to add this job. */
async function recordAdding({ queue, job: { name, data, opts } }: StepAndJob): Promise<Recorded> {
  let recorded: Recorded | undefined;
  const recorder = {
    runCommand(command: string, args: (string | Buffer)[]) {
      recorded = { command, args };
      return Promise.resolve(opts.jobId);
    },
  };
  const job = new Job(queue, name, data, { ...queue.opts.defaultJobOptions, ...opts }, opts.jobId);
  await job.addJob(recorder as unknown as Parameters<typeof job.addJob>[0], {});
  if (!recorded) throw new Error('BullMQ adds jobs in a way that is not known here');
  return recorded;
}

/** A script as ioredis keeps it once it is defined. */
interface Script {
  lua: string;
  numberOfKeys: number;
}

function scriptOf(redis: RedisClient, command: string): Script | undefined {
  const scripts = (redis as unknown as { scriptsSet?: Record<string, { lua?: unknown; numberOfKeys?: unknown }> })
    .scriptsSet;
  const { lua, numberOfKeys } = scripts?.[command] ?? {};
  return typeof lua === 'string' && typeof numberOfKeys === 'number' ? { lua, numberOfKeys } : undefined;
}
