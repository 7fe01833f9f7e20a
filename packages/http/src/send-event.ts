import type { Context, Notice, RecordReceipt } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import { timeRequest } from '@wrapup/destination/http';
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { type Body, bodyOf } from './body/body.ts';
import { type EndpointAnswer, type EndpointExchange, isSuccess, NoAnswer } from './client/exchange.ts';
import type { HttpSettings } from './endpoint/settings.ts';
import { signedHeaders, webhookId } from './endpoint/signature.ts';
import { showAnswer } from './errors/answer-text.ts';
import { close } from './errors/closed.ts';
import { failureOfAnswer, failureOfSilence, tooLate, withdrawn } from './errors/failures.ts';

/** An event as it goes over the wire, but for what changes with every attempt. */
export interface Event {
  record: RecordPlan;
  id: string;
  body: Body;
  bytes: Buffer;
}

/** @throws a mapping failure when the mapping makes no body */
export function eventOf(plan: Plan, record: RecordPlan): Event {
  const id = webhookId(plan.key, plan.route, plan.revision, record.name);
  const body = bodyOf(plan, record);
  try {
    return { record, id, body, bytes: Buffer.from(JSON.stringify(body)) };
  } catch (cause) {
    const hint = 'Take raw, or the section that is nested so deeply, out of send; then replay.';
    throw new Failure('mapping', `Event ${record.name}: the call is nested too deeply to be written as JSON.`, {
      record: record.name,
      hint,
      cause,
    });
  }
}

/** Nothing is sent when less than this is left, in ms: no answer could come in time. */
const TOO_LATE_MS = 20;

/** Sends an event once. @throws the failure when it was not taken */
export async function sendEvent(
  exchange: EndpointExchange,
  settings: HttpSettings,
  plan: Plan,
  event: Event,
  ctx: Context,
): Promise<{ receipt: RecordReceipt; note: string }> {
  const { record, id, body, bytes } = event;
  const named = { ...ctx, calls: [plan.key] };
  const answer = await send(exchange, settings, id, bytes, named).catch((thrown) => {
    throw Failure.of(thrown).with({ record: record.name });
  });
  const said = showAnswer(answer.text, plan, body, settings);
  if (isSuccess(answer.status)) {
    const note = `${record.name}: answered ${answer.status} in ${Math.round(answer.took)} ms${said ? `: ${said}` : ''}`;
    return { receipt: { name: record.name, object: record.object, id, did: 'created' }, note };
  }
  throw (await failureFrom(answer, said, settings, ctx)).with({ record: record.name });
}

/** Sends a notice once: `{ type, timestamp, text, data }`, signed like every event. @throws the failure when it was not taken */
export async function sendNotice(
  exchange: EndpointExchange,
  settings: HttpSettings,
  { id, type, at, text, data }: Notice,
  ctx: Context,
): Promise<void> {
  const body = { type, timestamp: new Date(at).toISOString(), text, data };
  const answer = await send(exchange, settings, `msg_${id}`, Buffer.from(JSON.stringify(body)), ctx);
  if (!isSuccess(answer.status)) throw await failureFrom(answer, '', settings, ctx);
}

/** The failure that an answer is, once the others who send to this endpoint know what it asks of them. */
async function failureFrom(
  answer: EndpointAnswer,
  said: string,
  settings: HttpSettings,
  ctx: Context,
): Promise<Failure> {
  const { failure, wait, closes } = failureOfAnswer(answer, said, settings);
  if (wait !== undefined) await ctx.budget.report({ blocked_for: wait });
  if (closes !== undefined) await close(ctx, settings, failure, closes);
  return failure;
}

/** One signed request, when there is quota and time for it. @throws the failure when no answer came */
async function send(
  exchange: EndpointExchange,
  settings: HttpSettings,
  id: string,
  bytes: Buffer,
  ctx: Context,
): Promise<EndpointAnswer> {
  const left = () => ctx.deadline - Date.now();
  const check = () => {
    if (ctx.signal.aborted) throw withdrawn(settings);
    if (left() < TOO_LATE_MS) throw tooLate(settings);
  };
  check();
  const timer = timeRequest(ctx, `send ${id}`, 'the endpoint');
  try {
    try {
      await ctx.budget.take();
    } catch (thrown) {
      throw ctx.signal.aborted ? withdrawn(settings) : thrown;
    }
    check();
    const headers = signedHeaders(id, Date.now(), bytes, exchange.keys);
    timer.sent();
    const answer = await exchange.send(bytes, headers, Math.min(settings.timeout, left()), ctx.signal);
    const { status } = answer;
    if (isSuccess(status)) timer.note('ok', status);
    else {
      const { code, details } = failureOfAnswer(answer, '', settings).failure;
      timer.note(code, status, details.retry_after);
    }
    return answer;
  } catch (thrown) {
    const failure = thrown instanceof NoAnswer ? failureOfSilence(thrown, settings) : Failure.of(thrown);
    timer.note(failure.code);
    throw failure;
  }
}
