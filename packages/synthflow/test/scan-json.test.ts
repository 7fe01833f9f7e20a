import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScan, type JsonVisitor, SCAN_LIMITS, scanJson } from '../src/index.ts';
import { depthOf, jsonTexts, valuesIn } from './support/json-texts.ts';

const RUNS = { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 500) };
const NO_LIMITS = { depth: Number.POSITIVE_INFINITY, values: Number.POSITIVE_INFINITY };

const scanned = (text: string, limits?: { depth: number; values: number }) => scanJson(Buffer.from(text), limits);

/** Scans in pieces that end where the test says. What has not come yet looks like the end of a string. */
function inPieces(bytes: Buffer, cuts: number[], scan: JsonScan) {
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const end = Math.min(cut, bytes.length);
    scan.advance(Buffer.concat([bytes.subarray(0, end), Buffer.alloc(9, '"')]), end);
  }
  return scan.finish(bytes);
}

describe('whatever JSON.parse takes', () => {
  it('has exactly the depth and the number of values that the scan finds', () => {
    fc.assert(
      fc.property(jsonTexts(), (text) => {
        const payload: unknown = JSON.parse(text);
        const depth = depthOf(text);
        const values = valuesIn(text);
        expect(scanned(text, { depth, values })).toBeUndefined();
        if (depth > 0) expect(scanned(text, { depth: depth - 1, values })?.what).toBe('too-deep');
        if (values > 1) expect(scanned(text, { depth, values: values - 1 })?.what).toBe('too-many-values');
        // A text without repeated names is what it is parsed to.
        const again = JSON.stringify(payload);
        expect(scanned(again, { depth: depthOf(again), values: valuesIn(again) })).toBeUndefined();
      }),
      RUNS,
    );
  });

  it('is scanned the same however it is cut into pieces', () => {
    fc.assert(
      fc.property(jsonTexts(), fc.array(fc.nat(400)), (text, cuts) => {
        const bytes = Buffer.from(text);
        const [whole, pieces] = [record(), record()];
        expect(new JsonScan(whole, NO_LIMITS).finish(bytes)).toBeUndefined();
        expect(inPieces(bytes, cuts, new JsonScan(pieces, NO_LIMITS))).toBeUndefined();
        expect(pieces.seen).toEqual(whole.seen);
      }),
      RUNS,
    );
  });

  it.each([
    ['with quotes that are escaped', 'say \\"hi\\" twice: \\"hi\\"'],
    ['with backslashes at its end', 'x'.repeat(20) + '\\\\'.repeat(5)],
    ['with backslashes and quotes in a row', '\\\\\\"'.repeat(5)],
  ])('is scanned the same where a long string %s is cut', (_what, end) => {
    for (const filler of [0, 40, 60, 62, 63, 64, 65, 100]) {
      const bytes = Buffer.from(`{"a":"${'y'.repeat(filler)}${end}","b":[1]}`);
      const whole = record();
      expect(new JsonScan(whole, NO_LIMITS).finish(bytes)).toBeUndefined();
      expect(whole.seen.slice(-3)).toEqual(['1 key "b"', '2 [', '2 1']);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const pieces = record();
        expect(inPieces(bytes, [cut], new JsonScan(pieces, NO_LIMITS))).toBeUndefined();
        expect(pieces.seen).toEqual(whole.seen);
      }
    }
  });

  it.each(['\ufeff{"a":[1]}', ' {"a" : "b\\\\"} ', '-1.5e3', '"\\""', '[true,null,"x"]'])(
    'is scanned the same wherever %j is cut',
    (text) => {
      const bytes = Buffer.from(text);
      const whole = record();
      expect(new JsonScan(whole, NO_LIMITS).finish(bytes)).toBeUndefined();
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const pieces = record();
        expect(inPieces(bytes, [cut, cut + 1], new JsonScan(pieces, NO_LIMITS))).toBeUndefined();
        expect(pieces.seen).toEqual(whole.seen);
      }
    },
  );

  it('is never refused as no JSON, whatever stands in its strings', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        expect(scanned(JSON.stringify(texts))).toBeUndefined();
      }),
      RUNS,
    );
  });

  it('is read from any bytes, also such as are no UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => {
        const bytes = Buffer.concat([Buffer.from('["'), Buffer.from(noise), Buffer.from('"]')]);
        let parses = true;
        try {
          JSON.parse(bytes.toString('utf8'));
        } catch {
          parses = false;
        }
        if (parses) expect(scanJson(bytes)).toBeUndefined();
        else scanJson(bytes);
      }),
      RUNS,
    );
  });
});

describe('what is reported', () => {
  const reported = (text: string, levels: number, limits = NO_LIMITS) => {
    const visitor = { ...record(), levels };
    new JsonScan(visitor, limits).finish(Buffer.from(text));
    return visitor.seen;
  };

  it('is what stands in the outer levels, as many as are asked for', () => {
    const text = '{"a":[{"b":1}],"c":2}';
    expect(reported(text, 0)).toEqual([]);
    expect(reported(text, 1)).toEqual(['1 {', '1 key "a"', '1 key "c"', '1 2']);
    expect(reported(text, 2)).toEqual(['1 {', '1 key "a"', '2 [', '1 key "c"', '1 2']);
    expect(reported('5', 0)).toEqual(['0 5']);
  });

  it.each([
    ['{"x":', '}'],
    ['[', ']'],
  ])('is thirty levels at most, and what comes after deeper ones of %s all the same', (open, close) => {
    const deep = `${open.repeat(40)}7${close.repeat(40)}`;
    const seen = reported(`{"a":${deep},"b":[${deep},"c"],"d":1}`, 100);
    expect(seen.filter((one) => one.startsWith('30 '))).toHaveLength(open === '[' ? 2 : 4);
    expect(seen.filter((one) => one.startsWith('31 '))).toEqual([]);
    expect(seen.filter((one) => /^[12] /.test(one)).slice(-4)).toEqual(['2 [', '2 "c"', '1 key "d"', '1 1']);
  });

  it.each([
    ['[1,[[2],3],4]', { depth: 2, values: 100 }, ['1 [', '1 1', '2 [']],
    ['[1,2,[3],4]', { depth: 9, values: 3 }, ['1 [', '1 1', '1 2']],
    ['[1,[[2],3],4]', { depth: 9, values: 3 }, ['1 [', '1 1', '2 [']],
    ['[1] [2]', NO_LIMITS, ['1 [', '1 1']],
  ])('is nothing more of %s once a limit of %j is passed', (text, limits, seen) => {
    expect(reported(text, 30, limits)).toEqual(seen);
    const visitor = record();
    const scan = new JsonScan(visitor, limits);
    for (let end = 1; end <= text.length; end += 1) scan.advance(Buffer.from(text), end);
    expect(visitor.seen).toEqual(seen);
  });
});

describe('limits', () => {
  it('count the values of lists and objects, and nothing that stands in a string', () => {
    const values = (text: string) => {
      const scan = new JsonScan(undefined, NO_LIMITS);
      scan.finish(Buffer.from(text));
      return scan.values;
    };
    expect(['1', '[]', '{}', '[1]', '[[]]', '[1,2]', '{"a":1,"b":[]}', '{"a":[{},{},{}]}'].map(values)).toEqual([
      1, 1, 1, 2, 2, 3, 3, 5,
    ]);
    expect(values('"[1,1,1,{},{}]"')).toBe(1);
    expect(values('["\\"[1,1,", "\\\\", "a,b"]')).toBe(4);
  });

  it('are those of SCAN_LIMITS, named in the problem', () => {
    expect(scanned(`[${'1,'.repeat(SCAN_LIMITS.values - 2)}1]`)).toBeUndefined();
    expect(scanned(`[${'1,'.repeat(SCAN_LIMITS.values - 1)}1]`)).toEqual({
      what: 'too-many-values',
      limit: SCAN_LIMITS.values,
    });
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(scanned(deep(SCAN_LIMITS.depth))).toBeUndefined();
    expect(scanned(deep(SCAN_LIMITS.depth + 1))).toEqual({ what: 'too-deep', limit: 1_024 });
  });

  it('are passed before the bytes have all come', () => {
    const scan = new JsonScan(undefined, { depth: 10, values: 100 });
    scan.advance(Buffer.from(`[${'{},'.repeat(200)}`));
    expect(scan.problem).toEqual({ what: 'too-many-values', limit: 100 });
  });
});

describe('what is no JSON', () => {
  it.each([
    ['nothing', '', 0],
    ['blanks', '  ', 2],
    ['text', 'hello', 0],
    ['half an object', '{"call":{"call_id":"x"', 22],
    ['half a string', '"abc', 4],
    ['a string whose quote is escaped', '"abc\\"', 6],
    ['a NUL byte outside of a string', '{"call":\0{}}', 8],
    ['two values', '{} {}', 3],
    ['two numbers', '1 2', 2],
    ['a comma at the outside', '{},', 2],
    ['an end without a beginning', ']', 0],
    ['a comma before anything', ' ,1', 1],
    ['a colon before anything', ':1', 0],
    ['half a byte order mark', Buffer.from([0xef, 0xbb]), 2],
    ['another byte in place of its last', Buffer.from([0xef, 0xbb, 0x41]), 0],
    ['a byte order mark and nothing else', '\ufeff', 3],
  ])('is seen in %s, and where', (_what, text, at) => {
    expect(scanJson(Buffer.from(text as string))).toEqual({ what: 'not-json', at });
  });

  it('is seen in UTF-16', () => {
    expect(scanJson(Buffer.from('{"a":1}', 'utf16le'))).toEqual({ what: 'not-json', at: 1 });
  });

  it('never throws, hangs or passes a limit unseen', () => {
    const bytes = fc.array(fc.constantFrom(...'{}[]:,"\\ 1ae'), { maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(200)), (characters, cuts) => {
        const text = characters.join('');
        const [one, other] = [new JsonScan(undefined, NO_LIMITS), new JsonScan(undefined, NO_LIMITS)];
        const problem = one.finish(Buffer.from(text));
        expect(inPieces(Buffer.from(text), cuts, other)).toEqual(problem);
        if (problem) expect(() => JSON.parse(text)).toThrow();
      }),
      RUNS,
    );
  });
});

function record(): JsonVisitor & { seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    levels: 30,
    open: (depth, isObject) => seen.push(`${depth} ${isObject ? '{' : '['}`),
    key: (bytes, start, end, depth) => seen.push(`${depth} key ${bytes.toString('utf8', start, end)}`),
    scalar: (bytes, start, end, depth) => seen.push(`${depth} ${bytes.toString('utf8', start, end)}`),
  };
}
