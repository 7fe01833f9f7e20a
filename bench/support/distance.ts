/**
 * A server some milliseconds away: what goes to it and what comes back is held up on the way, in a thread of its own, so that
 * the one who measures does not add to it.
 */
import { connect, createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Distance {
  port: number;
  close(): Promise<void>;
}

interface Stretch {
  /** Port of the server, on loopback. */
  to: number;
  /** Whole ms in each direction. */
  ms: number;
}

export async function startDistance(stretch: Stretch): Promise<Distance> {
  const thread = new Worker(new URL(import.meta.url), { workerData: stretch });
  const port = await new Promise<number>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  return { port, close: async () => void (await thread.terminate()) };
}

function serve({ to, ms }: Stretch): void {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
    lead(near, far, ms);
    lead(far, near, ms);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    parentPort?.postMessage(typeof address === 'object' ? address?.port : undefined);
  });
}

/** Timers of one length fire in the order in which they were set, so bytes keep theirs. */
function lead(from: Socket, to: Socket, ms: number): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), ms));
  from.on('close', () => setTimeout(() => to.destroy(), ms));
  from.on('error', () => to.destroy());
}

if (!isMainThread) serve(workerData as Stretch);
