/**
 * Asks the Synthflow API, with a deadline for each attempt and a bound on how many there are. Only GETs are asked here,
 * which change nothing, so that asking again is always safe.
 *
 * Retried: 429 (after what `Retry-After` says), 5xx, no answer, an answer that breaks off. Never 401, 403 or 404.
 */

import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '@wrapup/call';
import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios';
import { type ApiFailureCode, failureOf, SynthflowApiError } from './failure.ts';

/** https://docs.synthflow.ai/api-reference */
export const HOSTS = {
  global: 'https://api.synthflow.ai',
  us: 'https://api.us.synthflow.ai',
  eu: 'https://api.eu.synthflow.ai',
} as const;
export type Region = keyof typeof HOSTS;

export interface ApiOptions {
  region: Region;
  /** Somewhere else than the region's host: a proxy, the sandbox. `/v2` is added when it is not there. */
  base_url?: string | undefined;
  api_key: string;
  /** Milliseconds for one attempt; default 10 s. */
  timeout?: number;
  /** Attempts in all; default 4. */
  attempts?: number;
  /** Milliseconds of the first wait, which doubles; default 500. */
  base?: number;
}

/** The limits of one question to the API. */
export interface Ask {
  /** Aborted when the answer is no longer wanted. */
  signal: AbortSignal;
  /** Epoch ms after which no further attempt is begun. */
  deadline?: number;
}

export type ApiQuery = Record<string, string | number | undefined>;

/** Longest wait between two attempts; when the API asks for a longer one, the question fails. */
const MAX_WAIT_MS = 8_000;
/** Bytes of one answer: a page of 100 calls with long transcripts. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

export class ApiTransport {
  readonly #settings: AxiosRequestConfig;
  #http: Promise<AxiosInstance> | undefined;
  readonly #options: Required<Pick<ApiOptions, 'timeout' | 'attempts' | 'base'>>;
  readonly #agents = [new http.Agent({ keepAlive: true }), new https.Agent({ keepAlive: true })] as const;

  constructor({ region, base_url, api_key, timeout = 10_000, attempts = 4, base = 500 }: ApiOptions) {
    this.#options = { timeout, attempts, base };
    this.#settings = {
      baseURL: addressOf(base_url ?? HOSTS[region]),
      headers: { authorization: `Bearer ${api_key}`, accept: 'application/json', 'user-agent': 'wrapup' },
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      // The key must not follow a redirect to another host.
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      responseType: 'text',
      transformResponse: (text: unknown) => text,
      validateStatus: () => true,
    };
  }

  /** axios is loaded with the first question: ingress has this package, and asks none. */
  #client(): Promise<AxiosInstance> {
    this.#http ??= import('axios').then(({ default: axios }) => axios.create(this.#settings));
    return this.#http;
  }

  /**
   * @param what for messages: "the list of calls"
   * @param missing what 404 means here
   * @returns the answer, parsed
   * @throws SynthflowApiError, or the reason of `ask.signal`
   */
  async get(
    path: string,
    query: ApiQuery,
    { what, missing, ask }: { what: string; missing: ApiFailureCode; ask: Ask },
  ): Promise<unknown> {
    const { attempts, base } = this.#options;
    for (let attempt = 1; ; attempt++) {
      ask.signal.throwIfAborted();
      try {
        return await this.#once(path, query, { what, missing, ask });
      } catch (error) {
        const failure = error as SynthflowApiError;
        if (!isPassing(failure) || attempt >= attempts) throw error;
        const jittered = Math.random() * Math.min(MAX_WAIT_MS, base * 2 ** (attempt - 1));
        const wait = Math.max(failure.details.retry_after ?? 0, jittered);
        if (wait > MAX_WAIT_MS || Date.now() + wait > (ask.deadline ?? Number.POSITIVE_INFINITY)) throw error;
        await sleep(wait, undefined, { signal: ask.signal });
      }
    }
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async #once(
    path: string,
    query: ApiQuery,
    { what, missing, ask }: { what: string; missing: ApiFailureCode; ask: Ask },
  ): Promise<unknown> {
    const within = Math.min(this.#options.timeout, (ask.deadline ?? Number.POSITIVE_INFINITY) - Date.now());
    const late = AbortSignal.timeout(Math.max(1, within));
    let answer: AxiosResponse<string>;
    try {
      answer = await (await this.#client()).get<string>(path, {
        params: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
        signal: AbortSignal.any([ask.signal, late]),
      });
    } catch (error) {
      ask.signal.throwIfAborted();
      throw withoutAnswer(error as Error & { code?: string }, what, late.aborted, within);
    }
    const { status, data, headers } = answer;
    const body = typeof data === 'string' ? parseJson(data) : undefined;
    if (status >= 200 && status < 300) {
      if (body !== undefined) return body;
      const html = /html/i.test(String(headers['content-type'] ?? ''));
      const said = `Synthflow answered ${what} with something that is no JSON.`;
      throw new SynthflowApiError(html ? 'wrong_place' : 'unreadable', said, { status });
    }
    throw failureOf(status, body, { what, missing, retry_after: readRetryAfter(headers['retry-after']) });
  }
}

/** Failures that pass within seconds. A call that is not known yet takes minutes: that is for the caller to wait for. */
const PASSING: ReadonlySet<ApiFailureCode> = new Set(['throttled', 'unavailable', 'timeout', 'network', 'unreadable']);

function isPassing(error: unknown): error is SynthflowApiError {
  return error instanceof SynthflowApiError && PASSING.has(error.code);
}

function withoutAnswer(error: Error & { code?: string }, what: string, late: boolean, within: number) {
  if (late)
    return new SynthflowApiError('timeout', `Synthflow did not answer ${what} within ${Math.round(within)} ms.`);
  if (/maxContentLength/.test(error.message)) {
    return new SynthflowApiError('too_large', `Synthflow's answer to ${what} has more than ${MAX_ANSWER_BYTES} bytes.`);
  }
  const code = error.code ?? error.name;
  return new SynthflowApiError('network', `Synthflow could not be asked for ${what} (${code}).`);
}

/** Seconds or a date; a date in the past is no wait. */
function readRetryAfter(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function addressOf(base: string): string {
  const trimmed = base.replace(/\/+$/, '');
  return /\/v2$/.test(trimmed) ? trimmed : `${trimmed}/v2`;
}
