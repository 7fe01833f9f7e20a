import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScan, type JsonVisitor, SCAN_LIMITS, scanJson } from '../src/index.ts';
import { depthOf, jsonTexts, valuesIn } from './support/json-texts.ts';

const RUNS = { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 500) };
const NO_LIMITS = { depth: Number.POSITIVE_INFINITY, values: Number.POSITIVE_INFINITY };

const scanned = (text: string, limits?: { depth: number; values: number }) => scanJson(Buffer.from(text), limits);

/** Scans in pieces that end where the test says. */
function inPieces(bytes: Buffer, cuts: number[], scan: JsonScan) {
  for (const cut of [...cuts].sort((a, b) => a - b)) scan.advance(bytes, Math.min(cut, bytes.length));
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
    ['a byte order mark and nothing else', '\ufeff', 3],
  ])('is seen in %s, and where', (_what, text, at) => {
    expect(scanned(text)).toEqual({ what: 'not-json', at });
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
