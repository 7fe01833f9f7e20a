import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Assets, readLook } from '../src/index.ts';

const CSS = 'p { color: red; }\n'.repeat(200);
const assets = new Assets('/assets', { 'one.css': CSS, 'icon.svg': '<svg/>' });
const server = createServer((request, response) => {
  response.setHeader('cache-control', 'no-store');
  request.url = request.url?.replace('/assets', '');
  assets.handler(request, response, () => response.writeHead(404).end());
});
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

describe('what pages load', () => {
  it.each([
    ['br, gzip', 'br'],
    ['gzip;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0', null],
    ['identity', null],
  ])('is compressed as a client that accepts %s takes it', async (accepted, coding) => {
    const answer = await ask('/assets/one.css', { headers: { 'accept-encoding': accepted } });
    expect(answer.headers.get('content-encoding')).toBe(coding);
    expect(Number(answer.headers.get('content-length')) < CSS.length).toBe(coding !== null);
    expect(await answer.text()).toBe(CSS);
    expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  it('is kept for good under the address that names its content, and under no other', async () => {
    const address = assets.url('one.css');
    expect((await ask(address)).headers.get('cache-control')).toContain('immutable');
    expect((await ask('/assets/one.css')).headers.get('cache-control')).toBe('no-store');
    expect((await ask('/assets/one.css?v=older')).headers.get('cache-control')).toBe('no-store');
    expect(new Assets('/assets', { 'one.css': `${CSS}p {}` }).url('one.css')).not.toBe(address);
  });

  it('is only what there is, and only read', async () => {
    for (const path of ['/assets/two.css', '/assets/', '/assets/__proto__', '/assets/..%2fassets.ts'])
      expect((await ask(path)).status).toBe(404);
    expect((await ask('/assets/one.css', { method: 'POST' })).status).toBe(404);
    expect(await (await ask('/assets/one.css', { method: 'HEAD' })).text()).toBe('');
    expect(() => assets.url('two.css')).toThrow('two.css');
  });
});

/** Light and dark, by name. */
const COLOURS = new Map(
  [...readLook('tokens.css').matchAll(/--([\w-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w+));/g)].map(
    ([, name = '', light, dark, both]) => [name, [light ?? both, dark ?? both] as [string, string]],
  ),
);
const STATES = ['good', 'wait', 'park', 'dead', 'idle'];

describe('the colours', () => {
  it.each([
    ...['text', 'soft', 'link', ...STATES].flatMap((text) => [
      [text, 'card'],
      [text, 'back'],
    ]),
    ...STATES.map((state) => [state, `${state}-back`]),
    ['on-accent', 'accent'],
  ])('of %s on %s have the contrast of WCAG 2.2 AA, in light and in dark', (text = '', ground = '') => {
    for (const place of [0, 1] as const) {
      const [one, other] = [COLOURS.get(text)?.[place], COLOURS.get(ground)?.[place]];
      expect(contrast(one as string, other as string)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
