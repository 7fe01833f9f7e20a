/**
 * Something of ours and a new job of BullMQ's in one step of Redis: one round trip, one fsync, and nothing between the two
 * that a crash could fall into.
 *
 * BullMQ adds a job by a Lua script. Ours is put in front of it, in one script. Nothing here knows how BullMQ keeps its
 * jobs: the script is the one that it has defined on the client, and its keys and arguments are those that `Job.addJob`
 * gives to a client which only writes them down. Where that is not to be had (BullMQ has not defined its scripts yet,
 * because Redis was never reached), the two run one after the other, ours first, as they would by hand.
 */
import { Job, type JobsOptions, type Queue } from 'bullmq';
import { type RedisClient, runScript } from './redis.ts';

export interface Step {
  /** Under which the script is defined on the client. */
  name: string;
  lua: string;
  keys: string[];
  args: (string | number | Buffer)[];
  /** The answer on which no job is added. */
  unless: string;
}

export interface NewJob<Data> {
  name: string;
  data: Data;
  opts: JobsOptions & { jobId: string };
}

/** @returns what the step answered */
export async function runBeforeAdding<Answer extends string>(
  { redis, queue }: { redis: RedisClient; queue: Queue },
  step: Step,
  job: NewJob<unknown>,
): Promise<Answer> {
  const add = await recordAdding(queue, job);
  const script = scriptOf(redis, add.command);
  if (script === undefined) {
    const answer = await runScript<Answer>(redis, step.name, () => step.lua, step.keys, step.args);
    if (answer !== step.unless) await queue.add(job.name, job.data, job.opts);
    return answer;
  }
  const { lua, numberOfKeys } = script;
  return await runScript<Answer>(
    redis,
    `${step.name}:${add.command}`,
    () => together(step, lua),
    [...step.keys, ...(add.args.slice(0, numberOfKeys) as string[])],
    [...step.args, ...add.args.slice(numberOfKeys)],
  );
}

/** Each script in a function of its own, with its own KEYS and ARGV; of one that fails, Redis undoes nothing, as ever. */
function together(step: Step, add: string): string {
  return `
local function step(KEYS, ARGV)
${step.lua}
end
local function add(KEYS, ARGV)
${add}
end
local answer = step({ unpack(KEYS, 1, ${step.keys.length}) }, { unpack(ARGV, 1, ${step.args.length}) })
if answer == '${step.unless}' then return answer end
local id = add({ unpack(KEYS, ${step.keys.length + 1}) }, { unpack(ARGV, ${step.args.length + 1}) })
if type(id) == 'number' then return redis.error_reply('ERR the job could not be added: ' .. id) end
return answer
`;
}

interface Recorded {
  command: string;
  args: (string | Buffer)[];
}

/** What BullMQ would run to add this job. */
async function recordAdding(queue: Queue, { name, data, opts }: NewJob<unknown>): Promise<Recorded> {
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
function scriptOf(redis: RedisClient, command: string): { lua: string; numberOfKeys: number } | undefined {
  const scripts = (redis as unknown as { scriptsSet?: Record<string, { lua?: unknown; numberOfKeys?: unknown }> })
    .scriptsSet;
  const { lua, numberOfKeys } = scripts?.[command] ?? {};
  return typeof lua === 'string' && typeof numberOfKeys === 'number' ? { lua, numberOfKeys } : undefined;
}
