import { asObject } from '@wrapup/call';
import { redactAnything, redactData, redactJob, redactOptions, redactText } from './redact.ts';

type Fields = Record<string, unknown>;

/** By route of Bull Board's API. A route that is not here is new: it keeps its shape and loses whatever looks personal. */
const ANSWERS: Record<string, (body: Fields) => unknown> = {
  '/api/queues': (body) => ({ ...body, queues: list(body.queues).map(redactQueue) }),
  '/api/queues/:queueName/:jobId': (body) => ({ ...body, job: redactJob(body.job) }),
  '/api/job-schedulers': (body) => ({ ...body, schedulers: list(body.schedulers).map(redactScheduler) }),
  // Versions, sizes and times of the server.
  '/api/redis/stats': (body) => body,
};
const LOGS = '/api/queues/:queueName/:jobId/logs';

export function redactAnswer(route: string, body: unknown): unknown {
  if (Array.isArray(body)) return route === LOGS ? body.map(redactLog) : redactAnything(body);
  const answer = asObject(body);
  // The text of an error comes from whatever was thrown.
  if (answer !== body || 'error' in answer) return redactAnything(body);
  return Object.hasOwn(ANSWERS, route) ? ANSWERS[route]?.(answer) : redactAnything(answer);
}

function redactQueue(queue: unknown): unknown {
  return { ...asObject(queue), jobs: list(asObject(queue).jobs).map(redactJob) };
}

function redactLog(line: unknown): unknown {
  return typeof line === 'string' ? redactText(line) : redactAnything(line);
}

function redactScheduler(scheduler: unknown): unknown {
  const { template, ...rest } = asObject(scheduler);
  const { data, opts } = asObject(template);
  return { ...asObject(redactAnything(rest)), template: { data: redactData(data), opts: redactOptions(opts) } };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
