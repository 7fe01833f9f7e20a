import type { HttpAnswer, HttpRequest } from './exchange.ts';

/** A request that came through, and its answer. */
export interface Exchanged {
  request: HttpRequest;
  answer: HttpAnswer;
}
