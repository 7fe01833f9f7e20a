import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Tells where a baseline listens, as Wrapup's own processes do. */
export function announce(server: Server): void {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, msg: 'baseline listens' }));
}
