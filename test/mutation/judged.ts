/** Mutants that no test can notice, or need notice, one by one, with the reason. Those of a line that has changed are judged anew. */

export interface Judged {
  file: string;
  /** The line, without its indentation. */
  line: string;
  /** What stood in its place, as Stryker prints it. */
  instead: readonly string[];
  why: string;
}

export const JUDGED: readonly Judged[] = [];
