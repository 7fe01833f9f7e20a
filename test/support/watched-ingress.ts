/** An ingress process of its own, under the memory limit of docker-compose.yml, watched from outside while it is attacked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sign } from '../../packages/synthflow/src/payload.ts';
import { startIngress } from './process.ts';
import { freshPrefix, redisUrl } from './redis.ts';

export const SECRET = 'a secret of 256 bits, more or less';

/** In a container of 512 MB, as compose gives to ingress, V8 keeps its old space below half of it. */
const HEAP_OF_512_MB = '--max-old-space-size=256';

const CONFIG = `
sources:
  main: { provider: synthflow, region: us, webhook_secrets: ["${SECRET}"] }
connections: {}
routes: []
`;

export type WatchedIngress = Awaited<ReturnType<typeof startWatchedIngress>>;

/** @param env as `REDIS_URL`, where no run of tests shares a server */
export async function startWatchedIngress(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-attacked-'));
  writeFileSync(join(folder, 'wrapup.yaml'), CONFIG);
  const ingress = await startIngress({
    NODE_OPTIONS: HEAP_OF_512_MB,
    INGRESS_HOST: '127.0.0.1',
    REDIS_URL: env.REDIS_URL ?? redisUrl(),
    WRAPUP_PREFIX: freshPrefix(),
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    ...env,
  });
  const { port } = ingress;
  const url = `http://127.0.0.1:${port}`;
  /** Over a connection of its own: one that rests meanwhile is closed for newcomers. */
  const get = (path: string) => fetch(`${url}${path}`, { headers: { connection: 'close' } });
  let valid = 0;

  return {
    port,
    /** Most memory that the process had so far, in MB, as the kernel counts it. @throws Error when it has ended */
    peakMb(): number {
      const status = readFileSync(`/proc/${ingress.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async metric(name: string): Promise<number> {
      const text = await (await get('/metrics')).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
    healthy: () => get('/healthz').then(({ status }) => status === 200),
    /**
     * Sends valid signed webhooks one after the other, as an honest source does while an attack goes on, and gives their
     * answers, each once. Only where Redis took too long, which the machine decides, one is sent again.
     */
    async sendValid(count: number): Promise<string[]> {
      const answers = new Set<string>();
      for (let sent = 0; sent < count; ) {
        valid += 1;
        const callId = `valid-${valid}`;
        const call = { call_id: callId, status: 'completed', transcript: 'human: hi\n'.repeat(800) };
        const answer = await post(port, JSON.stringify({ status: 'completed', call }), { callId });
        if (answer === '503 unavailable') continue;
        answers.add(answer);
        sent += 1;
      }
      return [...answers];
    },
    async close(): Promise<void> {
      await ingress.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Posted {
  /** Whose signature goes with it; without one, a signature of nothing does. */
  callId?: string;
  encoding?: string;
}

/** Posts a body. @returns status and code, as `413 too-large`, or what became of the connection */
export async function post(port: number, body: string | Uint8Array, { callId, encoding }: Posted): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/webhooks/main/post-call`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'synthflow-signature': callId === undefined ? 'bm90aGluZw==' : sign(callId, SECRET),
        ...(encoding && { 'content-encoding': encoding }),
      },
      body: body as never,
    });
    return summarise(`${response.status} ${await response.text()}`);
  } catch (error) {
    return String(((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? error);
  }
}

/** Begins a request and never ends it. */
export class Stalled {
  readonly socket: Socket;
  /** Status and code of what was answered, or `closed`, once the other side has ended it. */
  readonly ended: Promise<string>;

  constructor(port: number, sent: (string | Uint8Array)[], localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    let heard = '';
    this.socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    this.socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.socket.once('close', () => resolve(heard === '' ? 'closed' : summarise(heard.replace('HTTP/1.1 ', ''))));
    });
    for (const part of sent) this.socket.write(part);
  }
}

/** The head of a webhook whose body is still to come. */
export function headOf(more: string, signature = 'bm90aGluZw=='): string {
  return `POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nsynthflow-signature: ${signature}\r\n${more}\r\n\r\n`;
}

/** How often each answer came. */
export function tally(answers: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

function summarise(answer: string): string {
  const code = /urn:wrapup:problem:([a-z-]+)/.exec(answer)?.[1] ?? /"status":"([a-z]+)"/.exec(answer)?.[1];
  return `${answer.slice(0, 3)} ${code ?? ''}`.trim();
}
