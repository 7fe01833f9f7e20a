/** Stands between two processes, and lets bytes through in both directions, in one, or in none. */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';

/** Which bytes do not arrive: of the side that connects, or of the side that it connects to. */
export type Held = 'requests' | 'answers';

export interface Certificate {
  key: string;
  cert: string;
}

/** Held back of one direction of a connection at most; its sender waits for room then, as for a full window. */
const MAX_HELD = 4_000_000;

export class TcpProxy {
  target: number;
  readonly port: number;
  readonly #server: Server | TlsServer;
  readonly #pairs = new Set<Pair>();
  readonly #held = new Set<Held>();

  private constructor(server: Server | TlsServer, target: number) {
    this.#server = server;
    this.target = target;
    this.port = (server.address() as { port: number }).port;
  }

  /** @param certificate with which it speaks TLS to the side that connects; default: bytes as they are */
  static async open(target: number, certificate?: Certificate): Promise<TcpProxy> {
    let proxy: TcpProxy;
    const join = (client: Socket) => proxy.#join(client);
    const server = certificate ? createTlsServer(readPair(certificate), join) : createServer(join);
    server.on('tlsClientError', () => {});
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
    proxy = new TcpProxy(server, target);
    return proxy;
  }

  /** What it shows from the next connection on; those that are open end. */
  show(certificate: Certificate): void {
    (this.#server as TlsServer).setSecureContext(readPair(certificate));
    this.cut();
  }

  /** From now on bytes of this direction wait, also those of new connections. */
  hold(what: Held): void {
    this.#held.add(what);
    for (const pair of this.#pairs) pair.hold(what);
  }

  /** Bytes that were held arrive now, late, as what a network has sent again; or the connections break. */
  release(how: 'late' | 'broken'): void {
    if (this.#held.size === 0) return;
    this.#held.clear();
    for (const pair of this.#pairs) {
      if (how === 'late') pair.release();
      else pair.cut();
    }
  }

  /** Ends all connections. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut();
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.cut();
    await closed;
  }

  #join(client: Socket): void {
    const pair = new Pair(client, connect(this.target, '127.0.0.1'), () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    for (const what of this.#held) pair.hold(what);
  }
}

/** One connection and its other half. */
class Pair {
  readonly #ends: readonly [Socket, Socket];
  readonly #flows: Record<Held, Flow>;

  constructor(client: Socket, server: Socket, onGone: () => void) {
    this.#ends = [client, server];
    this.#flows = { requests: new Flow(client, server), answers: new Flow(server, client) };
    let open = 2;
    for (const end of this.#ends) {
      end.on('error', () => {});
      end.once('close', () => {
        open -= 1;
        if (open === 0) onGone();
      });
    }
  }

  hold(what: Held): void {
    this.#flows[what].hold();
  }

  release(): void {
    for (const flow of Object.values(this.#flows)) flow.release();
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
  }
}

/** One direction: bytes, and the end that comes after them. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  #waiting: Buffer[] | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (chunk: Buffer) => this.#pass(chunk));
    from.once('close', () => {
      this.#isOver = true;
      if (!this.#waiting) to.end();
    });
    from.once('end', () => {
      if (!this.#waiting) to.end();
    });
    to.on('drain', () => from.resume());
  }

  hold(): void {
    this.#waiting ??= [];
  }

  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#bytes = 0;
    for (const chunk of waiting) this.#to.write(chunk);
    if (this.#isOver) this.#to.end();
    else this.#from.resume();
  }

  #pass(chunk: Buffer): void {
    if (this.#waiting) {
      this.#waiting.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_HELD) this.#from.pause();
    } else if (!this.#to.destroyed && !this.#to.write(chunk)) this.#from.pause();
  }
}

function readPair({ key, cert }: Certificate) {
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
