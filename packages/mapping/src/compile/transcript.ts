/** `transcript: exact | estimated`: what was said, turn by turn, as the CRM's own transcript of the record. */
import { type Call, TURN_TIMES, type TurnTimes, timeTurns } from '@wrapup/call';
import type { LeftOut, Place, TranscriptPlan, Utterance } from '../plan.ts';
import { type Node, textOf } from '../yaml/node.ts';

export interface CompiledTranscript {
  times: TurnTimes;
  at: Place;
}

/** @returns undefined when the mapping asks for none; the schema has reported what is no such word */
export function compileTranscript(node: Node | undefined): CompiledTranscript | undefined {
  const times = TURN_TIMES.find((one) => one === textOf(node));
  return node && times ? { times, at: node.at } : undefined;
}

/** @param record name of the record that carries it */
export function planTranscript(
  { times, at }: CompiledTranscript,
  record: string,
  call: Call,
): { transcript?: TranscriptPlan; left: LeftOut[] } {
  const turns = timeTurns(Array.isArray(call.turns) ? call.turns : [], call.duration, times);
  if (typeof turns === 'string') return { left: [{ field: `${record}.transcript`, reason: turns, at }] };
  const utterances = turns.map(({ speaker, text, start, end }): Utterance => {
    const email = speaker === 'human' ? call.lead?.email : undefined;
    return { speaker, name: nameOf(speaker, call), text, start, end, ...(email ? { email } : {}) };
  });
  return { transcript: { times, utterances, at }, left: [] };
}

function nameOf(speaker: Utterance['speaker'], { agent, lead }: Call): string {
  if (speaker === 'agent') return agent?.name || 'Agent';
  return speaker === 'human' ? lead?.name || lead?.phone || 'Caller' : 'Unknown';
}
