/**
 * Who may look at the sandbox and steer it: a process or a browser on this machine. A page elsewhere that makes a browser
 * ask us is recognised by the Host (a foreign name that leads here) and the Origin (a foreign page that posts here).
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express';

export interface Guard {
  /** Also clients that are not on this machine: inside a container, where the engine publishes the port. */
  anyAddress: boolean;
  /** Further names by which the sandbox may be asked. */
  hosts: string[];
}

const HOSTS = ['localhost', '127.0.0.1', '[::1]'];

export function guard({ anyAddress, hosts }: Guard): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (!anyAddress && !isLoopback(request.socket.remoteAddress ?? '')) {
      return refuse(response, 'The sandbox is only shown on the machine it runs on');
    }
    const host = request.headers.host ?? '';
    if (![...HOSTS, ...hosts].includes(host.replace(/:\d+$/, '').toLowerCase())) {
      return refuse(response, 'The sandbox does not go by this name; set SANDBOX_ALLOWED_HOSTS');
    }
    const { origin } = request.headers;
    if (origin !== undefined && request.method !== 'GET' && request.method !== 'HEAD' && !isSame(origin, host)) {
      return refuse(response, 'This page may not steer the sandbox');
    }
    next();
  };
}

function refuse(response: Response, error: string): void {
  response.status(403).json({ error });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function isSame(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
