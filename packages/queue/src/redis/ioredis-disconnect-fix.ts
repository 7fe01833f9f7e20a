/**
 * Has a connection end whenever it is told to, and go on whenever it was not.
 *
 * BullMQ disconnects a worker's blocking connection and waits for its event `end`, without a limit, when the worker closes
 * and when a blocking command has hung. ioredis 6.0 gives that event when a socket closes, and in some states there is none:
 *
 * - A connection between two tries (`reconnecting`): `disconnect()` stops the timer, and nothing comes any more
 *   (https://github.com/taskforcesh/bullmq/issues/4656, https://github.com/taskforcesh/bullmq/issues/4065).
 * - A cluster without nodes: it waits for the last of them to end.
 * - A cluster whose slots are read anew while it disconnects, as after the loss of a master: that brings nodes back, which
 *   nobody ends.
 * - A cluster that lost all its nodes twice in a moment: the second `close` meets a handler that the first has used up. It
 *   neither ends nor tries again, however well the cluster is.
 */
import type { Cluster, Redis } from 'ioredis';

/** Changes a client, and those that are duplicated from it, and returns it. */
export function fixRedisDisconnect(client: Redis): Redis {
  const { disconnect, duplicate } = client;
  client.disconnect = (reconnect = false) => {
    if (!reconnect && client.status === 'reconnecting') asUnbegun(client);
    disconnect.call(client, reconnect);
  };
  client.duplicate = ((...args: Parameters<Redis['duplicate']>) =>
    fixRedisDisconnect(heard(duplicate.apply(client, args) as Redis))) as Redis['duplicate'];
  return client;
}

/** As `fixRedisDisconnect`, for a cluster. */
export function fixClusterDisconnect(client: Cluster): Cluster {
  const { connect, disconnect, duplicate } = client;
  /** It was told to disconnect, and has not been told to connect since. */
  let leaving = false;
  const leave = () => {
    if (client.nodes().length === 0) asUnbegun(client);
    disconnect.call(client);
  };
  client.connect = () => {
    leaving = false;
    return connect.call(client);
  };
  client.disconnect = (reconnect = false) => {
    leaving = !reconnect;
    if (reconnect) disconnect.call(client, true);
    else leave();
  };
  client.on('+node', () =>
    setImmediate(() => {
      if (leaving && client.nodes().length > 0) leave();
    }),
  );
  client.on('close', () =>
    setImmediate(() => {
      if (client.status !== 'close') return;
      if (leaving) leave();
      else client.connect().catch(() => {});
    }),
  );
  client.duplicate = ((...args: Parameters<Cluster['duplicate']>) =>
    fixClusterDisconnect(heard(duplicate.apply(client, args) as Cluster))) as Cluster['duplicate'];
  return client;
}

/** A client that has not begun to connect has no socket either, and that one ioredis ends at once. */
function asUnbegun(client: Redis | Cluster): void {
  if (client.status !== 'end') client.status = 'wait';
}

/** Whoever duplicates a client hears of its errors until it has ended; ioredis would print those that come after. */
function heard<Client extends Redis | Cluster>(client: Client): Client {
  client.on('error', () => {});
  return client;
}
