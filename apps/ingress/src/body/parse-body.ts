import { HttpProblem } from '../http/http-problem.ts';

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Returns the payload of a body. A byte order mark is skipped. Invalid UTF-8 is read as U+FFFD rather than refused: one
 * broken character in a transcript is no reason to lose a call, and the bytes are stored as they arrived.
 * @throws HttpProblem `not-json`, which quotes nothing of the body
 */
export function parseBody(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    throw new HttpProblem(
      'not-json',
      position ? `It stops being JSON at character ${position}.` : 'It ends too early, or is something else.',
    );
  }
}
