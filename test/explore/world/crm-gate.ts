/**
 * Holds what logical processes send to the CRM until the scheduler lets it go on: in place of `http.request`, below all of the
 * product's own code. The CRM is the sandbox's HubSpot.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { currentProcess, type LogicalProcess } from './world.ts';

export interface CrmAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** What one process has sent to the CRM. */
export class CrmRequest {
  readonly kind = 'crm';
  readonly process: LogicalProcess;
  readonly #socket: HeldRequest;
  readonly #ask: () => Promise<CrmAnswer>;
  /** The request line, without what belongs to single records. */
  readonly what: string;
  readonly body: string;

  constructor(process: LogicalProcess, socket: HeldRequest, what: string, body: string, ask: () => Promise<CrmAnswer>) {
    this.process = process;
    this.what = what;
    this.body = body;
    this.#socket = socket;
    this.#ask = ask;
  }

  /** The client has given up, as its time was over. */
  get isGivenUp(): boolean {
    return this.#socket.isDestroyed;
  }

  /** The call that it is about, where it names one. */
  get call(): string | undefined {
    return /\bcall-\d+\b/.exec(this.body)?.[0];
  }

  /** Whether it only makes records, so that it may as well take effect late. */
  get onlyCreates(): boolean {
    return this.what.endsWith('/batch/create');
  }

  get writes(): boolean {
    return /\/batch\/(create|update|upsert)|\/associations\//.test(this.what) && !this.what.endsWith('/batch/read');
  }

  /** The CRM does it. */
  apply(): Promise<CrmAnswer> {
    return this.#ask();
  }

  answer(answer: CrmAnswer): void {
    this.#socket.answer(answer);
  }

  /** The connection breaks. */
  reset(): void {
    this.#socket.break();
  }
}

/** As much of `http.ClientRequest` as the product uses. */
class HeldRequest extends EventEmitter {
  isDestroyed = false;
  readonly #send: (body: string | Buffer | undefined) => void;
  readonly #inside = AsyncLocalStorage.snapshot();

  constructor(send: (held: HeldRequest, body: string | Buffer | undefined) => void) {
    super();
    this.#send = (body) => send(this, body);
  }

  end(body?: string | Buffer): this {
    this.#send(body);
    return this;
  }

  destroy(): this {
    this.isDestroyed = true;
    return this;
  }

  answer({ status, headers, text }: CrmAnswer): void {
    if (this.isDestroyed) return;
    this.#inside(() => {
      const response = Object.assign(new EventEmitter(), { statusCode: status, headers, complete: true });
      this.emit('response', response);
      response.emit('data', Buffer.from(text));
      response.emit('end');
    });
  }

  break(): void {
    if (this.isDestroyed) return;
    this.#inside(() => this.emit('error', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
  }
}

/**
 * @param address of the CRM
 * @param hold given each request of a process
 * @returns what takes it off again
 */
export function installCrmGate(address: string, hold: (request: CrmRequest) => void): () => void {
  const real = http.request;
  const agent = new http.Agent({ keepAlive: true });
  http.request = ((url: string, options: http.RequestOptions) => {
    const process = currentProcess();
    if (!process) return real(url, options);
    if (process.isGone) return new HeldRequest(() => {});
    const what = `${options.method} ${url.slice(address.length).split('?', 1)[0]}`;
    return new HeldRequest((held, body) => {
      const ask = () => send(real, agent, url, options, body);
      hold(new CrmRequest(process, held, what, String(body ?? ''), ask));
    });
  }) as typeof http.request;
  return () => {
    http.request = real;
    agent.destroy();
  };
}

function send(
  request: typeof http.request,
  agent: http.Agent,
  url: string,
  { method, headers }: http.RequestOptions,
  body: string | Buffer | undefined,
): Promise<CrmAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(method ? { method } : {}), ...(headers ? { headers } : {}), agent });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.end(body);
  });
}
