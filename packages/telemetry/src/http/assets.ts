/**
 * What pages load beside themselves: styles, scripts, icons. Each is compressed once, when it is asked for first, and its
 * address says what is in it (`/assets/x.css?v=<hash>`), so that a browser asks for it once until it changes.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** https://www.rfc-editor.org/rfc/rfc8246: not even a reload asks again. */
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** Content codings, the shortest first. */
const CODINGS: readonly (readonly [coding: string, encode: (plain: Buffer) => Buffer])[] = [
  ['br', brotliCompressSync],
  ['gzip', gzipSync],
  ['identity', (plain) => plain],
];

interface Asset {
  type: string;
  version: string;
  plain: Buffer;
  /** By content coding, those that have been asked for. */
  bodies: Map<string, Buffer>;
}

export class Assets {
  readonly #path: string;
  readonly #assets = new Map<string, Asset>();

  /**
   * @param path under which they are served, without a slash at its end
   * @param texts by name
   */
  constructor(path: string, texts: Readonly<Record<string, string>>) {
    this.#path = path;
    for (const [name, text] of Object.entries(texts)) {
      const type = TYPES[extname(name)];
      if (!type) throw new Error(`no media type is known of ${name}`);
      const plain = Buffer.from(text);
      const version = hash('sha256', plain, 'base64url').slice(0, 12);
      this.#assets.set(name, { type, version, plain, bodies: new Map() });
    }
  }

  /** The address of one, for as long as it stays as it is. @throws Error where there is none of that name */
  url(name: string): string {
    const asset = this.#assets.get(name);
    if (!asset) throw new Error(`there is no asset ${name}`);
    return `${this.#path}/${name}?v=${asset.version}`;
  }

  /** Express middleware, to be mounted at their path. What it does not know goes on. */
  readonly handler = (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    const asset = this.#assets.get(path.slice(1));
    if (!asset || (request.method !== 'GET' && request.method !== 'HEAD')) {
      next();
      return;
    }
    const accepted = String(request.headers['accept-encoding'] ?? '');
    const [coding, encode] = CODINGS.find(([name]) => accepts(accepted, name)) as (typeof CODINGS)[number];
    const body = asset.bodies.get(coding) ?? encode(asset.plain);
    asset.bodies.set(coding, body);
    response.setHeader('content-type', asset.type);
    response.setHeader('content-length', body.length);
    response.setHeader('vary', 'accept-encoding');
    if (coding !== 'identity') response.setHeader('content-encoding', coding);
    if (query === `v=${asset.version}`) response.setHeader('cache-control', FOR_GOOD);
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */
function accepts(header: string, coding: string): boolean {
  return (
    coding === 'identity' || new RegExp(`(^|,)\\s*${coding}\\s*(;\\s*q=(0\\.0*[1-9]|1)[\\d.]*\\s*)?(,|$)`).test(header)
  );
}

/**
 * What everything of Wrapup looks like.
 * @param file colours and types as custom properties of CSS, or the icon
 */
export function readLook(file: 'tokens.css' | 'icon.svg'): string {
  return readFileSync(`${import.meta.dirname}/../look/${file}`, 'utf8');
}
