import { randomUUID } from 'node:crypto';
import { readCallId, sign } from '@wrapup/synthflow';
import axios from 'axios';
import { nothingRunsHere, START_IT } from '../connect/not-running.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { parseJson } from '../terminal/input.ts';

export interface Message {
  body: Buffer;
  /** Undefined when the payload has none. */
  id: string | undefined;
}

export interface SendResult {
  status: number;
  body: unknown;
  ms: number;
}

/**
 * The bytes to send: as they are in the file, unless another call id is asked for.
 * @param id the call id to send it under; `new` makes one
 */
export function prepare(bytes: Buffer, name: string, id: string | undefined): Message {
  const wanted = id === 'new' ? randomUUID() : id;
  if (wanted === undefined) {
    // What is no call is sent all the same: seeing how it is refused is a use of this command.
    try {
      return { body: bytes, id: readCallId(JSON.parse(bytes.toString('utf8'))) };
    } catch {
      return { body: bytes, id: undefined };
    }
  }
  const payload = parseJson(bytes, name);
  replaceId(payload, wanted);
  if (readCallId(payload) !== wanted) {
    throw new CliError(EXIT.usage, 'the payload has no call id that could be replaced', 'it belongs at call.call_id');
  }
  return { body: Buffer.from(JSON.stringify(payload)), id: wanted };
}

function replaceId(value: unknown, id: string): void {
  if (typeof value !== 'object' || value === null) return;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (/^call_?id$/i.test(key)) record[key] = id;
    else if (key === 'call' || key === 'response') replaceId(record[key], id);
    else if (key === 'calls' && Array.isArray(record[key])) replaceId(record[key][0], id);
  }
}

export interface SendTarget {
  target: string;
  /** Undefined sends without a signature. */
  secret: string | undefined;
  /** Requests in flight at once. */
  parallel: number;
  /** Milliseconds for each answer. */
  timeout: number;
}

/** Posts all of them. Any status is an answer; none at all ends the command with 3. */
export async function sendAll(
  messages: Message[],
  { target, secret, parallel, timeout }: SendTarget,
): Promise<SendResult[]> {
  const answers: SendResult[] = [];
  let next = 0;
  const lane = async () => {
    while (next < messages.length) {
      const index = next++;
      const { body, id } = messages[index] as Message;
      const begun = performance.now();
      const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'wrapup-cli' };
      // A body without a call id is signed, too: without a signature ingress would not read it.
      if (secret !== undefined) headers['Synthflow-Signature'] = sign(id ?? '', secret);
      const answer = await axios
        .post(target, body, {
          headers,
          timeout,
          signal: AbortSignal.timeout(timeout),
          validateStatus: () => true,
          maxRedirects: 0,
          maxBodyLength: Number.POSITIVE_INFINITY,
          maxContentLength: 1_000_000,
          proxy: false,
        })
        .catch((error: { code?: string }): never => {
          const late = error.code === 'ECONNABORTED' || error.code === 'ERR_CANCELED';
          throw new CliError(
            EXIT.unreachable,
            `no answer from ${new URL(target).origin} (${late ? `within ${timeout} ms` : (error.code ?? 'network error')})`,
            nothingRunsHere()
              ? START_IT
              : 'is ingress running there? `npm start` or `docker compose up` starts it; --url names another place',
          );
        });
      answers[index] = {
        status: answer.status,
        body: answer.data,
        ms: Math.round(performance.now() - begun),
      };
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, messages.length) }, lane));
  return answers;
}
