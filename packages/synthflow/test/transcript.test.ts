import { describe, expect, it } from 'vitest';
import { notesAt, read } from './support/read.ts';

describe('a transcript', () => {
  it('becomes turns and is kept as it came', () => {
    const transcript = '\nbot: Hello, how are you? \nhuman: Fine. \n';
    const call = read({ transcript });
    expect(call.transcript).toBe(transcript);
    expect(call.turns).toEqual([
      { speaker: 'agent', text: 'Hello, how are you?' },
      { speaker: 'human', text: 'Fine.' },
    ]);
  });

  it.each([
    ['assistant: Hi\nhuman: Hello', ['agent', 'human']],
    ['Bot: Hi\nHUMAN : Hello', ['agent', 'human']],
    ['bot: Hi\r\nhuman: Hello', ['agent', 'human']],
    ['bot: one\nbot: two\nhuman: three', ['agent', 'agent', 'human']],
    ['the line was bad\nhuman: Hello', ['unknown', 'human']],
    ['no speaker at all', ['unknown']],
    ['bot:\nhuman: Hello', ['human']],
  ])('%j', (transcript, speakers) => {
    expect(read({ transcript }).turns.map(({ speaker }) => speaker)).toEqual(speakers);
  });

  it('keeps the lines of a turn together', () => {
    expect(read({ transcript: 'bot: First line\nsecond line\n\nhuman: Yes' }).turns[0]?.text).toBe(
      'First line\nsecond line',
    );
  });

  it('does not take a speaker’s name inside a line for a turn', () => {
    expect(read({ transcript: 'human: she said bot: no' }).turns).toEqual([
      { speaker: 'human', text: 'she said bot: no' },
    ]);
  });

  it('may stop in the middle of a sentence', () => {
    expect(read({ transcript: 'bot: Hello and welc' }).turns).toEqual([{ speaker: 'agent', text: 'Hello and welc' }]);
  });

  it.each([[''], [' \n '], [null], [undefined]])('is absent when it is %j', (transcript) => {
    const call = read({ transcript });
    expect(call).not.toHaveProperty('transcript');
    expect(call.turns).toEqual([]);
    expect(call.notes).toEqual([]);
  });

  it('is absent and noted when it is no text', () => {
    const call = read({ transcript: [{ role: 'bot', text: 'Hi' }] });
    expect(call).not.toHaveProperty('transcript');
    expect(notesAt(call, 'call.transcript')).toHaveLength(1);
  });

  it('loses NUL and lone surrogates, and keeps whole ones', () => {
    expect(read({ transcript: 'bot: a\0b\ud800c 👋' }).transcript).toBe('bot: abc 👋');
  });

  it.each<[string, string, number]>([
    ['of 900,000 turns', 'bot: hello there\nhuman: yes\n'.repeat(450_000), 900_000],
    ['of one line', `human: ${'word '.repeat(5_000_000)}end`, 1],
    ['of blanks', `${' '.repeat(25_000_000)}x`, 1],
    ['of empty lines', `bot: a${'\n'.repeat(25_000_000)}b`, 1],
    ['of beginnings of prefixes', '\tbot\t'.repeat(5_000_000), 1],
  ])(
    'of 12 to 25 MB is read %s',
    (_, transcript, turns) => {
      expect(read({ transcript }).turns).toHaveLength(turns);
    },
    60_000,
  );
});
