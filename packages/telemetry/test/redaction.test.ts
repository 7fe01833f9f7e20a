import { describe, expect, it } from 'vitest';
import { createLogger } from '../src/index.ts';
import { maskText, redactFields } from '../src/observe/redaction.ts';

function capture() {
  const lines: string[] = [];
  const log = createLogger('test', { level: 'debug', stream: { write: (line: string) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') };
}

describe('text', () => {
  it.each([
    ['Dana at dana@example.com called', 'Dana at [e-mail] called'],
    ['from +1 (415) 555-0123 today', 'from [number] today'],
    ['+14155550123', '[number]'],
    ['ring 415 555 0123', 'ring [number]'],
    ['dana@example.com on 415 555 0123, id: 123456789012', '[e-mail] on [number], id: 123456789012'],
  ])('masks %s', (text, masked) => expect(maskText(text)).toBe(masked));

  it.each([
    '66666666-7777-8888-9999-000000000000',
    '2026-05-04T10:59:46.123Z',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'at file:///app/src/main.ts:120:34',
    'record 123456789012 is gone',
  ])('leaves %s', (text) => expect(maskText(text)).toBe(text));

  it('is cut', () => expect(maskText('x'.repeat(10_000)).length).toBe(2_000));
});

describe('fields', () => {
  it('are redacted by key at any depth, without touching the original', () => {
    const fields = {
      source: 'main',
      lead: { phone: '+1' },
      list: [{ Email: 'a', deeper: { recording_url: 'b', call_id: 'c-1' } }],
      api_key: 'k',
      from_number: '+1',
      first_name: 'Dana',
      body: Buffer.from('secret'),
    };
    expect(redactFields(fields)).toEqual({
      source: 'main',
      lead: '[redacted]',
      list: [{ Email: '[redacted]', deeper: { recording_url: '[redacted]', call_id: 'c-1' } }],
      api_key: '[redacted]',
      from_number: '[redacted]',
      first_name: '[redacted]',
      body: '[redacted]',
    });
    expect(fields.lead.phone).toBe('+1');
  });

  it('survive cycles and bytes', () => {
    const loop: Record<string, unknown> = { bytes: Buffer.alloc(3) };
    loop.self = loop;
    expect(JSON.stringify(redactFields(loop))).toContain('[3 bytes]');
  });
});

describe('logger', () => {
  it('writes level, time, service and message', () => {
    const { log, last } = capture();
    log.info({ call_id: 'c-1' }, 'accepted');
    expect(last()).toMatchObject({ level: 'info', service: 'test', call_id: 'c-1', msg: 'accepted' });
    expect(Date.parse(last().time)).not.toBeNaN();
  });

  it('redacts fields, bindings of children and grandchildren, and masks messages', () => {
    const { log, lines, last } = capture();
    log
      .child({ email: 'dana@example.com' })
      .child({ token: 't0ken', source: 'main' })
      .warn({ phone: '+1' }, 'to +14155550123');
    expect(last()).toMatchObject({ source: 'main', msg: 'to [number]' });
    expect(lines.join()).not.toMatch(/dana|t0ken|4155550123/);
  });

  it('takes what is personal out of errors and their causes, and keeps codes', () => {
    const { log, lines, last } = capture();
    const cause = Object.assign(new Error('no dana@example.com'), {
      code: 'E1',
      command: { name: 'hset', args: ['+1415'] },
    });
    log.error({ err: new Error('writing +14155550123', { cause }), nested: { cause } }, 'failed');
    expect(last().err).toMatchObject({ message: 'writing [number]', cause: { code: 'E1', command: 'hset' } });
    expect(last().err.stack).toContain('redaction.test.ts');
    expect(lines.join()).not.toMatch(/dana|4155550123|args/);
  });

  it('takes an unknown level for info', () => {
    expect(createLogger('test', { level: 'loud' }).level).toBe('info');
    expect(createLogger('test', { level: 'ERROR' }).level).toBe('error');
  });
});
