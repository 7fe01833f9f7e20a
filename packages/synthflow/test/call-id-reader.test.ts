import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallIdReader, readCallId, samplePayload } from '../src/index.ts';
import { CALL_ID_NAMES } from '../src/parse/locate.ts';
import { eventTexts, jsonTexts } from './support/json-texts.ts';

const RUNS = { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 500) };

function read(text: string | Buffer, cuts: number[] = []): CallIdReader {
  const bytes = Buffer.from(text as string);
  const reader = new CallIdReader();
  for (const cut of [...cuts].sort((a, b) => a - b)) reader.advance(bytes, Math.min(cut, bytes.length));
  reader.finish(bytes, bytes.length);
  return reader;
}

/** The ids of a parsed payload, one place after the other, by nothing but property access. */
function idsOf(payload: unknown): string[] {
  const of = (holder: unknown, name: string): unknown =>
    typeof holder === 'object' && holder !== null && !Array.isArray(holder) && Object.hasOwn(holder, name)
      ? (holder as Record<string, unknown>)[name]
      : undefined;
  const calls = of(of(payload, 'response'), 'calls');
  const found = [
    readCallId({ call: { call_id: of(of(payload, 'call'), 'call_id') } }),
    ...[payload, Array.isArray(calls) ? calls[0] : undefined].flatMap((holder) =>
      CALL_ID_NAMES.map((name) => readCallId({ call_id: of(holder, name) })),
    ),
  ];
  return [...new Set(found.filter((id) => id !== undefined))];
}

describe('ids are read from bytes', () => {
  it('as JSON.parse reads them, wherever they stand, twice or escaped', () => {
    let found = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: eventTexts() }, jsonTexts()), (text) => {
        const payload: unknown = JSON.parse(text);
        const { ids } = read(text);
        expect(ids).toEqual(idsOf(payload));
        const id = readCallId(payload);
        if (id === undefined) expect(ids).toEqual([]);
        else expect(ids).toContain(id);
        found += ids.length;
      }),
      RUNS,
    );
    // Else this proves nothing.
    expect(found).toBeGreaterThan(RUNS.numRuns / 2);
  });

  it('the same however the bytes are cut into pieces', () => {
    fc.assert(
      fc.property(eventTexts(), fc.array(fc.nat(400)), (text, cuts) => {
        const [whole, pieces] = [read(text), read(text, cuts)];
        expect(pieces.ids).toEqual(whole.ids);
        expect([...pieces.candidates]).toEqual([...whole.candidates]);
      }),
      RUNS,
    );
  });

  it.each<[string, string, string[]]>([
    ['of two members with one name the last', '{"call":{"call_id":"a","call_id":"b"}}', ['b']],
    ['of two calls the last', '{"call":{"call_id":"a"},"call":{"call_id":"b"}}', ['b']],
    ['none, when the last call has none', '{"call":{"call_id":"a"},"call":{}}', []],
    ['none, when the last id is none', '{"call_id":"a","call_id":null}', []],
    ['a name with escapes', '{"c\\u0061ll":{"call\\u005fid":"a"}}', ['a']],
    ['a name twice, once with escapes', '{"call":{"call_id":"a"},"c\\u0061ll":{"call_id":"b"}}', ['b']],
    ['an id with escapes', '{"call_id":"\\u0061\\/"}', ['a/']],
    ['a number', '{"call":{"call_id": 42 }}', ['42']],
    ['a number as JavaScript writes it', '{"call_id":1e2}', ['100']],
    ['two that differ', '{"call_id":"b","call":{"call_id":"a"}}', ['a', 'b']],
    ['two spellings that differ', '{"call_id":"a","callId":"b"}', ['a', 'b']],
    ['two that agree', '{"call_id":"a","call":{"call_id":"a"}}', ['a']],
    ['the first of an answer', '{"response":{"calls":[{"call_id":"a"},{"call_id":"b"}]}}', ['a']],
    ['none, when the first of an answer is no call', '{"response":{"calls":[0,{"call_id":"b"}]}}', []],
    ['none in a string', '{"text":"\\"call_id\\":\\"a\\",{\\"call_id\\":\\"a\\"}"}', []],
    ['none in a list', '[{"call_id":"a"}]', []],
    ['none in a list of calls', '{"call":[{"call_id":"a"}]}', []],
    ['none under a prototype', '{"__proto__":{"call":{"call_id":"a"}}}', []],
    ['one after a byte order mark', '\ufeff{"call_id":"a"}', ['a']],
  ])('%s', (_what, text, ids) => expect(read(text).ids).toEqual(ids));

  it('before the rest has come', () => {
    const reader = new CallIdReader();
    const bytes = Buffer.from('{"call":{"call_id":"a","call_id":"b"');
    reader.advance(bytes, 21);
    expect(reader.ids).toEqual([]);
    reader.advance(bytes, 22);
    expect(reader.ids).toEqual(['a']);
    const { changes } = reader;
    reader.advance(bytes, bytes.length);
    expect(reader.ids).toEqual(['b']);
    expect(reader.changes).toBeGreaterThan(changes);
  });

  it('with bytes that are no UTF-8 in it as JSON.parse gets them', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"call_id":"a'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('","x":"'),
      Buffer.from([0xe2, 0x82]),
      Buffer.from('"}'),
    ]);
    expect(read(bytes).ids).toEqual([readCallId(JSON.parse(bytes.toString('utf8')))]);
  });

  it('of a sample', () => {
    const text = JSON.stringify(samplePayload('connected', { call_id: 'sample' }));
    expect(read(text).ids).toEqual([readCallId(JSON.parse(text))]);
  });
});

describe('ids of unknown shapes', () => {
  it('are found under any spelling, near the surface, at most ten of them', () => {
    expect([...read('{"data":{"callId":"a"},"x":[{"Call-ID":"b","other":{"call_id":7}}]}').candidates]).toEqual([
      'a',
      'b',
      '7',
    ]);
    expect([
      ...read('{"__proto__":{"a":[{"call_id":"no"}],"call_id":"no"},"x":{"constructor":[[]],"call_id":"yes"}}')
        .candidates,
    ]).toEqual(['yes']);
    const many = JSON.stringify(Array.from({ length: 30 }, (_, index) => ({ call_id: `id ${index}` })));
    expect(read(many).candidates.size).toBe(10);
    expect(read(`${'{"a":'.repeat(8)}{"call_id":"deep"}${'}'.repeat(8)}`).candidates.size).toBe(0);
    expect([...read(`${'{"a":'.repeat(7)}{"call_id":"near"}${'}'.repeat(7)}`).candidates]).toEqual(['near']);
  });
});

describe('where an id counts', () => {
  const long = (length: number) => 'x'.repeat(length);

  it.each<[string, string[], string[]]>([
    ['{"call":{"call_id":"a"}}', ['a'], ['a']],
    ['{"call":{"callId":"a"}}', [], ['a']],
    ['{"call":{"x":{"call_id":"a"}}}', [], ['a']],
    ['{"other":{"call_id":"a"}}', [], ['a']],
    ['{"call":[{"call_id":"a"}]}', [], ['a']],
    ['{"call_id":"a"}', ['a'], ['a']],
    ['{"response":{"calls":[{"call_id":"a"},{"call_id":"b"}]}}', ['a'], ['a', 'b']],
    ['{"response":{"calls":[1,{"call_id":"b"}]}}', [], ['b']],
    ['{"response":{"calls":[[{"call_id":"a"}],{"call_id":"b"}]}}', [], ['a', 'b']],
    ['{"response":{"calls":{"call_id":"a"}}}', [], ['a']],
    ['{"response":{"calls":[{"x":{"call_id":"a"}}]}}', [], ['a']],
    ['{"response":{"x":{"calls":[{"call_id":"a"}]}}}', [], ['a']],
    ['{"response":[{"calls":[{"call_id":"a"}]}]}', [], ['a']],
    ['{"response":{"other":[{"call_id":"a"}]}}', [], ['a']],
    ['{"call":{"calls":[{"call_id":"a"}]}}', [], ['a']],
    ['{"calls":[{"call_id":"a"}]}', [], ['a']],
    ['{"x":{"calls":[{"call_id":"a"}]}}', [], ['a']],
    ['{"call_id":"a","call":{"call_id":"b"}}', ['b', 'a'], ['a', 'b']],
    ['{"call_id":"a","call_id":"b"}', ['b'], ['a', 'b']],
    ['{"call_id":"a","call_id":null}', [], ['a']],
    ['{"call":{"call_id":"a"},"call":5}', [], ['a']],
    ['{"response":{"calls":[{"call_id":"a"}]},"response":{}}', [], ['a']],
    ['{"response":{"calls":[{"call_id":"a"}],"calls":[]}}', [], ['a']],
    ['{"call\\u005fid":"a"}', ['a'], ['a']],
    ['{"\\u0063all":{"call_id":"a"}}', ['a'], ['a']],
    ['{"x":{"Call-ID":"a","callid":"b","CALL_ID":"c"}}', [], ['a', 'b', 'c']],
    ['{"my_call_id":"a","call_id_old":"b","call.id":"c"}', [], []],
    ['{"callId":{"x":"a"}}', [], []],
    ['{"callId":["a"]}', [], []],
    ['{"callId":null,"x":"a"}', [], []],
    ['{"constructor":{"callId":"a","x":{"call_id":"b"}}}', [], []],
    ['{"constructor":{"x":1},"y":{"Call-Id":"a"}}', [], ['a']],
    ['{"constructor":1,"x":{"callId":"a"}}', [], ['a']],
    ['[{"call_id":"a"}]', [], ['a']],
    ['"call_id"', [], []],
  ])('in %s: %j, and perhaps %j', (text, ids, candidates) => {
    const reader = read(text);
    expect([reader.ids, [...reader.candidates]]).toEqual([ids, candidates]);
  });

  it('of 256 characters at most, however they are written', () => {
    const escaped = (length: number) => '\\u0061'.repeat(length);
    expect(read(`{"call_id":"${long(256)}"}`).ids).toEqual([long(256)]);
    expect(read(`{"call_id":"${long(257)}"}`).ids).toEqual([]);
    expect(read(`{"call_id":"${escaped(256)}"}`).ids).toEqual(['a'.repeat(256)]);
    expect(read(`{"call_id":"${escaped(257)}"}`).ids).toEqual([]);
  });

  it('and ten candidates are kept', () => {
    const many = Array.from({ length: 12 }, (_, n) => `{"callId":"${n}"}`).join(',');
    expect([...read(`{"x":[${many}]}`).candidates]).toEqual(Array.from({ length: 10 }, (_, n) => String(n)));
  });

  it('as far as the bytes have come', () => {
    const text = Buffer.from('{"call_id":"a","x":1,"call_id":"b","y":2,"call_id":{}}');
    const reader = new CallIdReader();
    const seen = [...text.keys()].map((end) => {
      reader.advance(text, end + 1);
      return [reader.ids.join(), reader.changes] as const;
    });
    expect(new Set(seen.map(([ids]) => ids))).toEqual(new Set(['', 'a', 'b']));
    const changes = seen.map(([, count]) => count);
    expect(changes).toEqual(changes.toSorted((a, b) => a - b));
    for (const [at, [ids, count]] of seen.entries()) {
      const [before, counted] = seen[at - 1] ?? ['', 0];
      if (ids !== before) expect(count).toBeGreaterThan(counted);
    }
    expect([reader.problem, reader.finish(text, text.length), reader.ids]).toEqual([undefined, undefined, []]);
  });

  it('and what speaks against parsing is reported as it comes', () => {
    const bytes = Buffer.from('['.repeat(2_000));
    const reader = new CallIdReader();
    reader.advance(bytes, bytes.length);
    expect(reader.problem).toBeDefined();
  });
});
