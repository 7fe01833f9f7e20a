/**
 * Sends the commands of one turn of the event loop together. ioredis writes each one to the socket by itself: a process with
 * a hundred calls in hand makes twenty system calls where one would do, and a Redis that syncs every write begins to
 * work, and to sync, with the first of them. Commands go in the order in which they were made, and none waits for another turn.
 */
import type { Cluster, Redis } from 'ioredis';

/** Changes a client, and the nodes of a cluster as they come, and returns it. */
export function joinWrites<Client extends Redis | Cluster>(client: Client): Client {
  if ('nodes' in client) {
    (client as Cluster).on('+node', (node: Redis) => void joinWrites(node));
  } else {
    client.on('connect', () => corkTurns((client as Redis).stream));
  }
  return client;
}

function corkTurns(socket: Redis['stream']): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      // After everything that follows from what is at hand, and before anything else is waited for.
      process.nextTick(uncork);
    }
    return write(...args);
  };
}
