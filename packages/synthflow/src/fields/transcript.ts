import type { Turn } from '@wrapup/call';

/** What begins a turn, one row a prefix. `bot` in webhooks, `assistant` in some REST records. */
const SPEAKERS: { [prefix: string]: Turn['speaker'] } = { bot: 'agent', assistant: 'agent', human: 'human' };

/** Bounded, because a greedy run over a line of megabytes of blanks overflows the regular expression's own stack. */
const PREFIX = /^[ \t]{0,16}(bot|assistant|human)[ \t]{0,4}:/gim;

/**
 * A transcript as turns. A line that begins with a speaker starts one; lines without continue it, so a turn may have
 * several lines. What stands before the first speaker has none. Every word of the transcript is in exactly one turn.
 *
 * A turn that quotes `human:` at the start of a line looks like a new one: the text as a whole is kept beside.
 */
export function readTurns(transcript: string): Turn[] {
  const turns: Turn[] = [];
  let speaker: Turn['speaker'] = 'unknown';
  let start = 0;
  const close = (end: number) => {
    const text = transcript.slice(start, end).trim();
    if (text) turns.push({ speaker, text });
  };
  for (const match of transcript.matchAll(PREFIX)) {
    close(match.index);
    speaker = SPEAKERS[(match[1] as string).toLowerCase()] ?? 'unknown';
    start = match.index + match[0].length;
  }
  close(transcript.length);
  return turns;
}
