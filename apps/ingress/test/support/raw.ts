import { connect, type Socket } from 'node:net';

/** A connection on which a test says exactly what it wants, as slowly as it wants. */
export interface RawConnection {
  socket: Socket;
  write(text: string | Uint8Array): void;
  /** What came so far. */
  heard(): string;
  /** Resolves when what came so far matches. */
  hears(pattern: RegExp): Promise<string>;
  /** Resolves with everything that came when the other side has closed. */
  closed: Promise<string>;
}

export function openRaw(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  const waiting: Array<{ pattern: RegExp; resolve: (heard: string) => void }> = [];
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
    for (const one of waiting) if (one.pattern.test(heard)) one.resolve(heard);
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)));
  return {
    socket,
    write: (text) => void socket.write(text),
    heard: () => heard,
    hears: (pattern) =>
      new Promise((resolve) => {
        if (pattern.test(heard)) resolve(heard);
        else waiting.push({ pattern, resolve });
      }),
    closed,
  };
}
