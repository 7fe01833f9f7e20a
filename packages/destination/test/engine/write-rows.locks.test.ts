/** Rows that meet a lock of the CRM. */
import { describe, expect, it } from 'vitest';
import { RequestFailure } from '../../src/http/request-failure.ts';
import { crmWith, refusal, row, took } from './support/rows.ts';

describe('a lock', () => {
  const locked = { ok: false as const, failure: refusal('locked', { split_and_retry: true }) };
  /** Is met so often by the first row. */
  const meeting = (times: number, rest = {}) => {
    let met = 0;
    return crmWith(
      ({ id = '' }) => {
        if (id !== '1' || met >= times) return took(id);
        met += 1;
        return locked;
      },
      { limits: { shrinks: true }, ...rest },
    );
  };
  const rows = () => ['1', '2', '3'].map((id) => row(id));

  it('passes: the row alone is sent again, twice at most', async () => {
    const { requests, write } = meeting(2);
    expect(await write(rows())).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    expect(requests).toEqual([['1', '2', '3'], ['1'], ['1']]);
    expect(await meeting(3).write(rows())).toMatchObject([{ ok: false }, { ok: true }, { ok: true }]);
  });

  it('costs none of the tries to leave out a field', async () => {
    let asked = 0;
    const { write } = crmWith(
      ({ id = '', fields }) => {
        asked += 1;
        if (asked === 1) return locked;
        const [name] = Object.keys(fields);
        return name === 'd' ? took(id) : { ok: false, failure: refusal('invalid_field', { fields: [name as string] }) };
      },
      { limits: { shrinks: true } },
    );
    expect(await write([row('1', { fields: { a: '1', b: '1', c: '1', d: '1' } })])).toMatchObject([{ ok: true }]);
  });

  it.each([
    ['the CRM knows none', { limits: { shrinks: false } }],
    ['no time is left', { usable: () => false }],
  ])('stands where %s', async (_why, rest) => {
    const { requests, write } = meeting(1, rest);
    expect(await write(rows())).toMatchObject([{ ok: false }, { ok: true }, { ok: true }]);
    expect(requests).toHaveLength(1);
  });

  it('is the CRM’s own word: one that nothing answered is none', async () => {
    const own = { ok: false as const, failure: new RequestFailure('locked', 'held by another delivery') };
    const { requests, write } = crmWith(() => own, { limits: { shrinks: true } });
    expect(await write([row('1')])).toMatchObject([{ ok: false }]);
    expect(requests).toHaveLength(1);
  });
});
