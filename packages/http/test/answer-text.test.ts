import { failure } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maskEcho } from '../src/errors/answer-text.ts';
import { connect, SECRET, writeOne } from './support/connect.ts';
import { type Answering, type Endpoint, openEndpoint, status } from './support/endpoint.ts';
import { PERSONAL, planOf, someCall } from './support/plans.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

async function noteOn(answering: Answering, settings: object = {}, mapping?: string): Promise<string> {
  endpoint.answers(answering);
  const destination = await connect({ url: endpoint.url, ...settings });
  const outcome = await writeOne(destination, planOf(someCall(), mapping ? { mapping } : {}));
  if (!outcome.ok) return outcome.failure.message;
  return outcome.receipt.notes.join('\n');
}

/** Single words of what only the endpoint may see. */
const FORBIDDEN = [
  'Wilhelmina',
  'Featherstonehaugh',
  '4155550199',
  'very.secret',
  'account number is hidden',
  'under the doormat',
];

describe('the answer that is kept', () => {
  test('is its beginning, on one line, with its status', async () => {
    expect(await noteOn(status(200, '{"ok":true,\n\t"queued":3}'))).toMatch(
      /^event: answered 200 in \d+ ms: \{"ok":true, "queued":3\}$/,
    );
    expect(await noteOn(status(204))).toMatch(/^event: answered 204 in \d+ ms$/);
    const long = await noteOn(status(200, 'ü'.repeat(5_000)));
    expect(long.length).toBeLessThan(1_100);
    expect(long).not.toContain('\ufffd');
  });

  test('holds nothing that a terminal would act upon', async () => {
    const note = await noteOn(status(200, 'a\u001b[2Jb\u0007c\u0000d\u009be\r\nf\u2028g'));
    expect(note).toMatch(/: a \[2Jb c d e f g$/);
  });

  test.each<[string, Answering]>([
    ['the body', (response, { raw }) => response.end(raw)],
    ['the body, as a JSON string', (response, { raw }) => response.end(JSON.stringify({ data: raw.toString() }))],
    [
      'the body, with every letter escaped',
      (response, { raw }) =>
        response.end(
          [...raw.toString().slice(0, 300)]
            .map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
            .join(''),
        ),
    ],
    ['the body, as a form', (response, { raw }) => response.end(encodeURIComponent(raw.toString()))],
    [
      'the body, in capitals and markup',
      (response, { body }) => {
        const { lead, call } = (body as { data: { lead: { name: string }; call: { transcript: string } } }).data;
        response.end(`<p>No: <b>${lead.name.toUpperCase()}</b></p><i>${call.transcript.toUpperCase()}</i>`);
      },
    ],
    ['a part of what was said', (response) => response.end('cannot read "is hidden under the doormat" (offset 7)')],
    ['one name', (response) => response.end('hello Wilhelmina, hello featherstonehaugh')],
  ])('repeats nothing of %s', async (_what, answering) => {
    for (const code of [200, 422]) {
      const note = await noteOn((response, received, request) => {
        response.statusCode = code;
        answering(response, received, request);
      });
      for (const word of FORBIDDEN) expect(note.toLowerCase()).not.toContain(word.toLowerCase());
      expect(note).toContain('[sent]');
    }
  });

  test('repeats nothing of a body that the mapping wrote', async () => {
    const mapping =
      'events:\n  - name: event\n    fields: { text: "Call {{ lead.name }} back on {{ lead.phone }} now" }\n';
    const note = await noteOn((response, { raw }) => response.writeHead(400).end(`invalid: ${raw}`), {}, mapping);
    for (const word of FORBIDDEN) expect(note).not.toContain(word);
    expect(note).toContain('invalid');
  });

  test('holds no secret of the request', async () => {
    const settings = {
      url: `${endpoint.url}/services/T00000000/XyZzySecretToken?key=topsecretkey`,
      headers: { authorization: 'Bearer abcdef123456', 'x-team': 'teamsecret' },
      secret: SECRET,
    };
    const note = await noteOn((response, { headers, path }) => {
      response.writeHead(500).end(`${path} ${JSON.stringify(headers)}`);
    }, settings);
    for (const word of ['XyZzySecretToken', 'topsecretkey', 'abcdef123456', 'teamsecret', 'T00000000'])
      expect(note).not.toContain(word);
  });

  test('keeps what the endpoint says of itself', async () => {
    const said = '{"status":"success","outcome":"connected","id":"c1","event":"received","error":null}';
    expect(await noteOn(status(200, said))).toContain(said);
  });

  test('is in the reason of a failure too', async () => {
    endpoint.answers(status(400, 'no_text: the field text is missing'));
    const refused = failure(await writeOne(await connect({ url: endpoint.url }), planOf()));
    expect(refused.message).toBe(
      '127.0.0.1 answered 400: it refuses the event. It says: no_text: the field text is missing',
    );
  });
});

describe('taking out what was sent', () => {
  const mask = (answer: string, texts: string[], words: string[] = [], keep: string[] = []) =>
    maskEcho(answer, { texts, words, keep });

  test.each([
    ['short texts as a whole', 'say blue car or blue bike', ['blue car'], 'say [sent] or blue bike'],
    ['long texts by three words in a row', 'x two three four y', ['one two three four five'], 'x [sent] y'],
    ['not by two of them', 'x two three y', ['one two three four five'], 'x two three y'],
    ['a single word', 'renewal, renewals', ['renewal'], '[sent], renewals'],
    ['nothing shorter than three letters', 'an ok', ['ok', 'an'], 'an ok'],
    ['whatever stands between the words', 'BLUE-\n"car"', ['blue car'], '[sent]"'],
    ['letters of any script', 'größe ГОРОД', ['GRÖSSE', 'Größe', 'город'], '[sent]'],
  ])('%s', (_what, answer, texts, masked) => {
    expect(mask(answer, texts)).toBe(masked);
  });

  test('every word of a name, however short, but no part of a word', () => {
    expect(mask('Al met Ann while planning', [], ['Al Ann'])).toBe('[sent] met [sent] while planning');
  });

  test('long answers and long calls cost little', () => {
    const answer = 'word '.repeat(400);
    const texts = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${PERSONAL.said}`);
    expect(mask(answer, texts)).toBe(answer);
  });
});
