/**
 * What Synthflow does not document and a workspace's own webhooks can tell. One row a question; an answer says on how
 * much it rests, and nothing is answered from nothing.
 */
import type { Evidence } from './evidence.ts';

export interface Answer {
  question: string;
  /** Absent while there is nothing to tell it from. */
  answer?: string;
}

interface Question {
  question: string;
  tell(evidence: Evidence): string | undefined;
}

const QUESTIONS: readonly Question[] = [
  {
    question: 'Under which name is the signature sent?',
    tell: ({ headers, unsigned, read }) => {
      if (read === 0) return undefined;
      const names = headers.map(
        ({ name, seen, verified, understood }) =>
          `${name} in ${seen} of ${read}, right under webhook_secrets in ${verified}${understood ? '' : '; ingress does not look under this name'}`,
      );
      return [...names, ...(unsigned > 0 ? [`none in ${unsigned} of ${read}`] : [])].join('; ');
    },
  },
  {
    question: 'Is the question before an inbound call signed, and what is signed?',
    tell: ({ inbound: { webhooks, signed, signs } }) =>
      webhooks === 0 ? undefined : `${signed} of ${webhooks} signed${signed > 0 ? `: ${list(signs)}` : ''}`,
  },
  {
    question: 'How often is a webhook tried, and is it the same each time?',
    tell: ({ attempts, repeated, repeatedAlike, read }) => {
      if (read === 0) return undefined;
      const alike = repeated > 0 ? `; ${repeatedAlike} of ${repeated} repeats had the same payload` : '';
      return `attempts made: ${list(attempts)}${alike}`;
    },
  },
  {
    question: 'Is a webhook sent for every status in which a call can end?',
    tell: ({ statuses, listed, webhooks }) => {
      if (webhooks === 0 || Object.keys(listed).length === 0) return undefined;
      const without = Object.keys(listed).filter((status) => !(status in statuses));
      const seen = `webhooks read were for: ${list(statuses) || 'none'}`;
      return without.length === 0
        ? `${seen}; no other ending was listed`
        : `${seen}; none among them for ${without.join(', ')}`;
    },
  },
  {
    question: 'Are analysis and recording there when the webhook is sent?',
    tell: ({ read, parts }) =>
      read === 0 ? undefined : `analysis in ${parts.analysis} of ${read}, recording in ${parts.recording}`,
  },
  {
    question: 'Do webhooks tell return values as objects or as text?',
    tell: ({ returnValues }) => list(returnValues) || undefined,
  },
  {
    question: 'Which criteria of the analysis can be partial?',
    tell: ({ partial }) => list(partial) || undefined,
  },
  {
    question: 'What are the types of actions called?',
    tell: ({ actionTypes }) => list(actionTypes) || undefined,
  },
  {
    question: 'Do metadata and prompt variables come back after the call?',
    tell: ({ read, parts }) =>
      read === 0
        ? undefined
        : `metadata in ${parts.metadata} of ${read}, prompt variables in ${parts.prompt_variables}`,
  },
  {
    question: 'How long are webhook logs kept?',
    tell: ({ oldest, more }) =>
      oldest === undefined || more ? undefined : `at least since ${new Date(oldest).toISOString().slice(0, 16)}Z`,
  },
];

export function answerQuestions(evidence: Evidence): Answer[] {
  return QUESTIONS.map(({ question, tell }) => {
    const answer = tell(evidence);
    return { question, ...(answer === undefined ? {} : { answer }) };
  });
}

/** `completed 12, no_answer 3`, most first. */
export function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
}
