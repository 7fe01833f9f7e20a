/** An endpoint on a socket of its own that answers as a test says. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The very bytes. */
  raw: Buffer;
  body: unknown;
}

export interface Endpoint {
  url: string;
  port: number;
  received: Received[];
  /** Connections that were opened to it. */
  connections(): number;
  /** Its own address in each of them. */
  addresses(): string[];
  /** What it answers from now on. */
  answers(how: Answering): void;
  close(): Promise<void>;
}

export type Answering = (response: ServerResponse, received: Received, request: IncomingMessage) => void;

/** Answers a status, a text and headers. */
export function status(code: number, text = '', headers: Record<string, string> = {}): Answering {
  return (response) => {
    response.writeHead(code, headers);
    response.end(text);
  };
}

/** @param host what it listens on; `0.0.0.0` is all of 127.0.0.0/8 */
export async function openEndpoint(
  first: Answering = status(200, 'ok'),
  host: '127.0.0.1' | '0.0.0.0' = '127.0.0.1',
): Promise<Endpoint> {
  let answering = first;
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const opened: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const seen: Received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        raw,
        body: JSON.parse(raw.toString()),
      };
      received.push(seen);
      answering(response, seen, request);
    });
  });
  server.on('connection', (socket) => {
    opened.push(socket.localAddress ?? '');
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    connections: () => opened.length,
    addresses: () => opened,
    answers(how) {
      answering = how;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
