/**
 * One request and its answer, over axios. What axios would do by itself is switched off: redirects, proxies, decoding,
 * and judging by status. What is left of it is its adapter for Node, which is called without the rest: merging of settings,
 * interceptors and transformations take as long as the adapter. One deadline covers all of it, from resolving the name to
 * the last byte of the answer.
 */
import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { AxiosAdapter, AxiosHeaders, InternalAxiosRequestConfig } from 'axios';
import { allowedAddresses, type HttpSettings } from '../endpoint/settings.ts';
import { signingKeys } from '../endpoint/signature.ts';
import { type AddressRefused, type Agents, makeAgents, type Resolve } from './guarded-agent.ts';

export interface EndpointAnswer {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** The beginning of the body. */
  text: string;
  /** Ms from the request to the end of the answer. */
  took: number;
}

/** No whole answer came. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
  readonly why: 'deadline' | 'withdrawn' | 'refused' | 'network';
  /** Node's code of the error, or empty. */
  readonly code: string;
  readonly refused?: AddressRefused;

  constructor(why: NoAnswer['why'], cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.why = why;
    this.code = codeOf(cause);
    const refused = refusalIn(cause);
    if (refused) this.refused = refused;
  }
}

/** Bytes of an answer that are kept. */
export const MAX_KEPT_BYTES = 2_048;
/** Bytes of an answer that are read at most; the rest of a longer one changes nothing. */
const MAX_READ_BYTES = 1_000_000;

/** The parts of axios that a request takes. */
interface AxiosParts {
  adapter: AxiosAdapter;
  Headers: typeof AxiosHeaders;
}

export class EndpointExchange {
  /** With which what is sent is signed. */
  readonly keys: KeyObject[];
  readonly #axios: AxiosParts;
  readonly #agents: Agents;
  readonly #settings: HttpSettings;
  /** What all requests share. */
  readonly #shared: Omit<InternalAxiosRequestConfig, 'headers'>;

  private constructor(axios: AxiosParts, agents: Agents, settings: HttpSettings) {
    this.#axios = axios;
    this.#agents = agents;
    this.#settings = settings;
    this.keys = signingKeys(settings.secret);
    this.#shared = {
      url: settings.url,
      method: settings.method,
      maxRedirects: 0,
      // A proxy would hide the address that is connected to.
      proxy: false,
      httpAgent: agents.http,
      httpsAgent: agents.https,
      responseType: 'stream',
      decompress: false,
      validateStatus: null,
      maxBodyLength: Number.POSITIVE_INFINITY,
    };
  }

  /** Loads axios; makes no request. */
  static async open(settings: HttpSettings, resolve?: Resolve): Promise<EndpointExchange> {
    const { default: axios, AxiosHeaders: Headers } = await import('axios');
    const agents = makeAgents(allowedAddresses(settings), resolve);
    return new EndpointExchange({ adapter: axios.getAdapter('http'), Headers }, agents, settings);
  }

  close(): void {
    this.#agents.destroy();
  }

  /**
   * @param within ms for everything
   * @throws NoAnswer
   */
  async send(
    body: Buffer,
    headers: Record<string, string>,
    within: number,
    signal: AbortSignal,
  ): Promise<EndpointAnswer> {
    const began = performance.now();
    const stop = new AbortController();
    let why: NoAnswer['why'] | undefined;
    const end = (reason: 'deadline' | 'withdrawn') => {
      why ??= reason;
      stop.abort();
    };
    const timer = setTimeout(() => end('deadline'), within);
    const withdraw = () => end('withdrawn');
    signal.addEventListener('abort', withdraw, { once: true });
    try {
      const response = await this.#axios.adapter({
        ...this.#shared,
        data: body,
        headers: this.#axios.Headers.from({ ...STANDARD, ...this.#settings.headers, ...headers }),
        signal: stop.signal,
      });
      const answer = { status: response.status, headers: textHeaders(response.headers) };
      const read = await readBody(response.data as Readable, stop.signal);
      // An error is an error however its text ends; a success whose answer breaks off may have been none.
      if (!read.whole && isSuccess(answer.status)) throw read.error;
      return { ...answer, text: read.text, took: performance.now() - began };
    } catch (thrown) {
      throw new NoAnswer(why ?? (refusalIn(thrown) ? 'refused' : 'network'), thrown);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', withdraw);
    }
  }
}

export const isSuccess = (status: number) => status >= 200 && status < 300;

const STANDARD = {
  'user-agent': 'Wrapup',
  accept: 'application/json, text/plain, */*',
  'accept-encoding': 'identity',
  'content-type': 'application/json; charset=utf-8',
};

interface ReadBody {
  text: string;
  whole: boolean;
  error?: unknown;
}

async function readBody(stream: Readable, signal: AbortSignal): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let kept = 0;
  let read = 0;
  const give = () => stream.destroy(new Error('stopped'));
  signal.addEventListener('abort', give, { once: true });
  // Left open, the decoder drops the half of a character at which the text was cut.
  const text = () => new TextDecoder().decode(Buffer.concat(chunks), { stream: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (kept < MAX_KEPT_BYTES) {
        chunks.push(chunk.subarray(0, MAX_KEPT_BYTES - kept));
        kept += Math.min(chunk.length, MAX_KEPT_BYTES - kept);
      }
      if (read >= MAX_READ_BYTES) break;
    }
    return { text: text(), whole: true };
  } catch (error) {
    return { text: text(), whole: false, error };
  } finally {
    signal.removeEventListener('abort', give);
  }
}

function textHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function codeOf(cause: unknown): string {
  const error = cause as { code?: unknown; cause?: { code?: unknown } } | undefined;
  for (const code of [error?.cause?.code, error?.code]) if (typeof code === 'string') return code;
  return '';
}

function refusalIn(thrown: unknown): AddressRefused | undefined {
  const error = thrown as { code?: unknown; cause?: unknown } | undefined;
  if (error?.code !== 'ADDRESS_REFUSED') return undefined;
  return (error.cause ?? error) as AddressRefused;
}
