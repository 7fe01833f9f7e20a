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
          `as ${name} in ${seen} of the ${read} webhooks that were read; in ${verified} of them one of webhook_secrets has made it${understood ? '' : ' (ingress does not look under this name)'}`,
      );
      return [...names, ...(unsigned > 0 ? [`without any in ${unsigned} of ${read}`] : [])].join('; ');
    },
  },
  {
    question: 'Is the question before an inbound call signed, and what is signed?',
    tell: ({ inbound: { webhooks, signed, signs } }) =>
      webhooks === 0
        ? undefined
        : `${signed} of ${webhooks} questions were signed${signed > 0 ? `, over: ${list(signs)}` : ''}`,
  },
  {
    question: 'How often is a webhook tried, and is it the same each time?',
    tell: ({ attempts, repeated, repeatedAlike, read }) => {
      if (read === 0) return undefined;
      const tried = Object.entries(attempts).map(
        ([times, webhooks]) =>
          `${webhooks} ${times === '1' ? 'were tried once' : times === 'not said' ? 'do not say it' : `were tried ${times} times`}`,
      );
      const alike =
        repeated > 0
          ? `; of ${repeated} calls with several webhooks, ${repeatedAlike} had the same payload each time`
          : '';
      return `of the ${read} webhooks that were read, ${tried.join(', ')}${alike}`;
    },
  },
  {
    question: 'Is a webhook sent for every status in which a call can end?',
    tell: ({ statuses, listed, webhooks }) => {
      if (webhooks === 0 || Object.keys(listed).length === 0) return undefined;
      const without = Object.keys(listed).filter((status) => !(status in statuses));
      const seen = `the webhooks that were read told of ${list(statuses) || 'no ending'}`;
      return without.length === 0
        ? `${seen}; no call that ended otherwise is listed`
        : `${seen}; calls that ended as ${without.join(', ')} are listed, and none of these webhooks told of one`;
    },
  },
  {
    question: 'Are analysis and recording there when the webhook is sent?',
    tell: ({ read, parts }) =>
      read === 0
        ? undefined
        : `of ${read} webhooks, ${parts.analysis} had an analysis and ${parts.recording} a recording`,
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
        : `of ${read} webhooks, ${parts.metadata} had metadata and ${parts.prompt_variables} prompt variables`,
  },
  {
    question: 'How long are webhook logs kept?',
    tell: ({ oldest, more }) =>
      oldest === undefined || more
        ? undefined
        : `the oldest is of ${new Date(oldest).toISOString().slice(0, 16).replace('T', ' ')} UTC; so far back at least`,
  },
];

export function answerQuestions(evidence: Evidence): Answer[] {
  return QUESTIONS.map(({ question, tell }) => {
    const answer = tell(evidence);
    return { question, ...(answer === undefined ? {} : { answer }) };
  });
}

/** `12 × completed, 3 × no_answer`, most first. */
export function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, number]) => `${number} × ${name}`)
    .join(', ');
}
