/**
 * Keeps the connections of a server under a limit by closing those of least value. Refusing new ones, as
 * `server.maxConnections` does, would let one client that opens enough of them lock out all others.
 *
 * unproved  nothing that came over it has proved its sender; closed first, the one that has been silent longest before
 *           any other
 * proved    carried a request whose sender was proved (`trustConnection`); closed only while no unproved one is left, and
 *           only between two requests: one whose next header still comes is between two, however slowly it comes
 *
 * Node's own limit stands above this one, for connections that are being closed still.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Connections that Node may hold besides: what one turn of the event loop accepts before the closed ones are gone. */
const MAX_CLOSING = 1_024;

/** Where `trustConnection` finds what holds a connection. */
const holders = new WeakMap<Socket, ConnectionLimit>();

export class ConnectionLimit {
  /** Closed to make room, since the start. */
  closed = 0;
  readonly #max: number;
  /** Ordered by the last sign of life, the oldest first. */
  readonly #unproved = new Set<Socket>();
  readonly #proved = new Set<Socket>();
  /** The answer to the last request of a connection: answers end in the order of their requests. */
  readonly #answers = new WeakMap<Socket, ServerResponse>();

  /** @param max connections held at once */
  constructor(server: Server, max: number) {
    this.#max = max;
    server.maxConnections = max + MAX_CLOSING;
    server.on('connection', (socket: Socket) => this.#add(socket));
    // Before the handler of the server, so that a request is a sign of life before it is anything else.
    server.prependListener('request', ({ socket }, response) => {
      this.#touch(socket);
      this.#answers.set(socket, response);
    });
  }

  get open(): number {
    return this.#unproved.size + this.#proved.size;
  }

  trust(socket: Socket): void {
    if (this.#unproved.delete(socket)) this.#proved.add(socket);
  }

  #add(socket: Socket): void {
    holders.set(socket, this);
    this.#unproved.add(socket);
    socket.once('close', () => this.#unproved.delete(socket) || this.#proved.delete(socket));
    while (this.open > this.#max && this.#makeRoom(socket)) this.closed += 1;
  }

  #touch(socket: Socket): void {
    if (this.#unproved.delete(socket)) this.#unproved.add(socket);
    else if (this.#proved.delete(socket)) this.#proved.add(socket);
  }

  /** Whether a request has come whose answer has not been sent whole. */
  #isBusy(socket: Socket): boolean {
    const answer = this.#answers.get(socket);
    return answer !== undefined && !answer.writableFinished && !answer.destroyed;
  }

  #makeRoom(newcomer: Socket): boolean {
    for (const socket of this.#unproved) {
      if (socket === newcomer) break;
      this.#unproved.delete(socket);
      socket.destroy();
      return true;
    }
    for (const socket of this.#proved) {
      if (this.#isBusy(socket)) continue;
      this.#proved.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}

/** Marks a connection whose sender is proved, so that it is closed after the unproved ones. */
export function trustConnection(socket: Socket): void {
  holders.get(socket)?.trust(socket);
}
