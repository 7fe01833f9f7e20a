/** docs/guide/http.md says what is so. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ANSWER_TABLE } from '../src/errors/answer-table.ts';
import { connect, OTHER_SECRET, SECRET, writeOne } from './support/connect.ts';
import { openEndpoint } from './support/endpoint.ts';
import { planOf } from './support/plans.ts';

const guide = readFileSync(new URL('../../../docs/guide/http.md', import.meta.url), 'utf8');

test('every answer of the table is in the guide, in its order', () => {
  const rows = [...guide.matchAll(/^\| (\d{3})(?: to (\d{3}))? \|/gm)].map(([, from, to]) =>
    to === undefined ? Number(from) : [Number(from), Number(to)],
  );
  expect(rows).toEqual([[200, 299], ...ANSWER_TABLE.map(({ status }) => status)]);
});

test('the receiver of the guide takes what is genuine, under either secret while they change, and nothing else', async () => {
  const code = /```js\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    isGenuine(headers: object, raw: Buffer, secret: string): boolean;
  };
  const endpoint = await openEndpoint();
  try {
    await writeOne(await connect({ url: endpoint.url, secret: [SECRET, OTHER_SECRET] }), planOf());
    const [event] = endpoint.received;
    if (!event) throw new Error('no event');
    expect([SECRET, OTHER_SECRET].map((secret) => isGenuine(event.headers, event.raw, secret))).toEqual([true, true]);
    const stranger = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    expect(isGenuine(event.headers, event.raw, stranger)).toBe(false);
    expect(isGenuine(event.headers, Buffer.from(`${event.raw} `), SECRET)).toBe(false);
    expect(isGenuine({ ...event.headers, 'webhook-timestamp': '1' }, event.raw, SECRET)).toBe(false);
  } finally {
    await endpoint.close();
  }
});
