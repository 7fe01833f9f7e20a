/**
 * Runs a script of ours and adds jobs to BullMQ in one step of Redis: one round trip, one fsync, and no moment between the
 * two at which a crash could separate them. One command takes several such steps with their jobs; one that fails leaves the
 * others. Each job's queue is noted as busy, and its bell is rung, in the same step (`queues/busy-queues.ts`).
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
  /**
   * Answers a text; second, where not all of its jobs are to be added, a table that is true at the places of those that are,
   * from 1 on.
   */
  lua: string;
  /** The answer, or the answers, on which no job is added. */
  unless: string | readonly string[];
}

export interface NewJob<Data> {
  name: string;
  data: Data;
  opts: JobsOptions & { jobId: string };
}

/** One call of the step, and its jobs. Every one has as many keys, arguments and jobs as the others. */
export interface StepAndJobs {
  keys: string[];
  args: (string | number | Buffer)[];
  /**
   * One at least; BullMQ adds all of them in the same way: they have the same kind of priority, and none a delay that another
   * has not.
   */
  jobs: readonly QueuedJob[];
}

export interface QueuedJob {
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
 * @param steps at most some hundreds: Redis does nothing else meanwhile
 * @returns what each step answered, in their order, or the error that this one met
 * @throws Error when Redis did not answer: each of them may have happened or not
 */
export async function enqueueAtomically<Answer extends string>(
  { redis, keys }: EnqueueParts,
  step: AtomicStep,
  steps: readonly StepAndJobs[],
): Promise<(Answer | Error)[]> {
  const recorded = await Promise.all(
    steps.map(async (one) => ({ ...one, adds: await Promise.all(one.jobs.map(recordAdding)) })),
  );
  const answers = new Map<RecordedStep, Answer | Error>();
  // How BullMQ adds a job depends on whether it has a priority or a delay.
  const byCommand = Map.groupBy(recorded, ({ adds: [add] }) => add?.command ?? '');
  await Promise.all(
    [...byCommand].map(async ([command, alike]) => {
      const script = scriptOf(redis, command);
      const found = script
        ? await runTogether<Answer>({ redis, keys }, step, { ...script, command }, alike)
        : await runApart<Answer>({ redis, keys }, step, alike);
      alike.forEach((one, index) => void answers.set(one, found[index] as Answer | Error));
    }),
  );
  return recorded.map((one) => answers.get(one) as Answer | Error);
}

interface RecordedStep extends StepAndJobs {
  adds: Recorded[];
}

/** @param steps at least one, all of whose jobs BullMQ adds by this script */
function runTogether<Answer extends string>(
  { redis, keys: { busy, bell } }: EnqueueParts,
  step: AtomicStep,
  { lua, numberOfKeys, command }: Script & { command: string },
  steps: readonly RecordedStep[],
): Promise<(Answer | Error)[]> {
  const [first] = steps as [RecordedStep];
  // BullMQ's keys are the queue's, and so the same for all of its jobs; its arguments are the job's.
  const places = new Map<string, number>();
  const queueKeys: string[] = [];
  for (const { jobs, adds } of steps) {
    jobs.forEach(({ queue }, index) => {
      if (places.has(queue.name)) return;
      places.set(queue.name, places.size);
      queueKeys.push(...((adds[index]?.args.slice(0, numberOfKeys) ?? []) as string[]));
    });
  }
  const keys = [busy, bell, ...queueKeys, ...steps.flatMap((one) => one.keys)];
  const args = steps.flatMap(({ args, jobs, adds }) => [
    ...args,
    ...jobs.flatMap(({ queue, isQuiet }, index) => [
      ...[places.get(queue.name) as number, isQuiet ? '' : '1'],
      ...(adds[index]?.args.slice(numberOfKeys) ?? []),
    ]),
  ]);
  return runScript<(Answer | Error)[]>(redis, `${step.name}:${command}`, () => together(step, lua), keys, [
    ...[steps.length, numberOfKeys, first.args.length, Date.now(), first.jobs.length, places.size],
    ...places.keys(),
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
local steps, addKeys, stepArgs, now, jobs, queues = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local argsFrom, keysFrom = 7 + queues, 3 + queues * addKeys
local keysEach, argsEach = (#KEYS - keysFrom + 1) / steps, (#ARGV - argsFrom + 1) / steps
local jobArgs = (argsEach - stepArgs) / jobs
local unless = {${[unless]
    .flat()
    .map((answer) => `['${answer}'] = true`)
    .join(', ')}}
local function run(place)
  local from = argsFrom + place * argsEach
  local answer, adds = step(slice(KEYS, keysFrom + place * keysEach, keysEach), slice(ARGV, from, stepArgs))
  if unless[answer] then return answer end
  for job = 1, jobs do
    if not adds or adds[job] then
      local at = from + stepArgs + (job - 1) * jobArgs
      local queue = tonumber(ARGV[at])
      note(KEYS, { now, ARGV[7 + queue], ARGV[at + 1] })
      local id = add(slice(KEYS, 3 + queue * addKeys, addKeys), slice(ARGV, at + 2, jobArgs - 2))
      if type(id) == 'number' then return redis.error_reply('ERR the job could not be added: ' .. id) end
    end
  end
  return answer
end
local answers = {}
for place = 0, steps - 1 do
  local ran, answer = pcall(run, place)
  if not ran and type(answer) ~= 'table' then answer = redis.error_reply(tostring(answer)) end
  answers[place + 1] = answer
end
return answers
`;
}

/** The answer of a step, and the places of the jobs that it wants. */
function apart({ lua }: AtomicStep, jobs: number): string {
  return `
local function step(KEYS, ARGV)
${lua}
end
local answer, adds = step(KEYS, ARGV)
local places = {}
for job = 1, ${jobs} do if not adds or adds[job] then places[#places + 1] = job end end
return { answer, places }
`;
}

async function runApart<Answer extends string>(
  { redis, keys: own }: EnqueueParts,
  step: AtomicStep,
  steps: readonly RecordedStep[],
): Promise<(Answer | Error)[]> {
  const results = await Promise.allSettled(
    steps.map(async ({ keys, args, jobs }) => {
      const name = `${step.name}:${jobs.length}`;
      const [answer, places] = await runScript<[Answer, number[]]>(
        redis,
        name,
        () => apart(step, jobs.length),
        keys,
        args,
      );
      if ([step.unless].flat().includes(answer)) return answer;
      for (const place of places) {
        const { queue, job, isQuiet } = jobs[place - 1] as QueuedJob;
        const noted = [Date.now(), queue.name, isQuiet ? '' : '1'];
        await runScript<null>(redis, 'wrapupNoteBusy', () => NOTE_LUA, [own.busy, own.bell], noted);
        await queue.add(job.name, job.data, job.opts);
      }
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
async function recordAdding({ queue, job: { name, data, opts } }: QueuedJob): Promise<Recorded> {
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
