/**
 * Makes a client of ioredis end after `disconnect()` in every state, and reconnect in every other case.
 *
 * BullMQ disconnects a worker's blocking connection and waits for its event `end`, without a limit, when the worker closes
 * and when a blocking command has hung. ioredis 6.0 gives that event when a socket closes, and in some states there is none:
 *
 * - A connection between two tries (`reconnecting`): `disconnect()` stops the timer, and nothing comes any more
 *   (https://github.com/taskforcesh/bullmq/issues/4656, https://github.com/taskforcesh/bullmq/issues/4065).
 * - A cluster without nodes: it waits for the last of them to end.
 * - A cluster whose slots are read anew while it disconnects, as after the loss of a master: that brings nodes back, which
 *   are never ended.
 * - A cluster that lost all its nodes twice in a moment: the second `close` meets a handler that the first has used up. It
 *   neither ends nor tries again, however well the cluster is.
 */
import type { Cluster, Redis } from 'ioredis';

/** Changes a client, and those that are duplicated from it, and returns it. */
export function fixRedisDisconnect(client: Redis): Redis {
  const { disconnect, duplicate } = client;
  client.disconnect = (reconnect = false) => {
    if (!reconnect && client.status === 'reconnecting') resetStatus(client);
    disconnect.call(client, reconnect);
  };
  client.duplicate = ((...args: Parameters<Redis['duplicate']>) =>
    fixRedisDisconnect(withErrorListener(duplicate.apply(client, args) as Redis))) as Redis['duplicate'];
  return client;
}

/** As `fixRedisDisconnect`, for a cluster. */
export function fixClusterDisconnect(client: Cluster): Cluster {
  const { connect, disconnect, duplicate } = client;
  /** `disconnect` was called, and `connect` has not been called since. */
  let isDisconnecting = false;
  const end = () => {
    if (client.nodes().length === 0) resetStatus(client);
    disconnect.call(client);
  };
  client.connect = () => {
    isDisconnecting = false;
    return connect.call(client);
  };
  client.disconnect = (reconnect = false) => {
    isDisconnecting = !reconnect;
    if (reconnect) disconnect.call(client, true);
    else end();
  };
  client.on('+node', () =>
    setImmediate(() => {
      if (isDisconnecting && client.nodes().length > 0) end();
    }),
  );
  client.on('close', () =>
    setImmediate(() => {
      if (client.status !== 'close') return;
      if (isDisconnecting) end();
      else client.connect().catch(() => {});
    }),
  );
  client.duplicate = ((...args: Parameters<Cluster['duplicate']>) =>
    fixClusterDisconnect(withErrorListener(duplicate.apply(client, args) as Cluster))) as Cluster['duplicate'];
  return client;
}

/** A client that has not begun to connect has no socket either, and that one ioredis ends at once. */
function resetStatus(client: Redis | Cluster): void {
  if (client.status !== 'end') client.status = 'wait';
}

/** Adds a listener for errors: BullMQ removes its own before the client has ended, and ioredis prints errors without one. */
function withErrorListener<Client extends Redis | Cluster>(client: Client): Client {
  client.on('error', () => {});
  return client;
}
