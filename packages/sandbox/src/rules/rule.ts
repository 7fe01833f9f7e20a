/** What the sandbox does, rule by rule, and where each is known from. */

export interface SandboxRule {
  vendor: 'HubSpot' | 'Salesforce';
  /** What part of the API it is about. */
  area: string;
  /** One sentence. */
  does: string;
  /** Codes and categories that it answers. */
  codes: string[];
  source: RuleSource;
}

/**
 * `recorded`: years of the recorded answers that it agrees with. `documented`: address of the page. `guessed`: the question
 * of the live script that would settle it.
 */
type RuleSource = { recorded: string } | { documented: string } | { guessed: string };

export type RuleRow = [area: string, source: RuleSource, does: string, ...codes: string[]];

export const recorded = (years: string): RuleSource => ({ recorded: years });
export const documented = (url: string): RuleSource => ({ documented: url });
export const guessed = (question: string): RuleSource => ({ guessed: question });

export function rulesOf(vendor: SandboxRule['vendor'], rows: RuleRow[]): SandboxRule[] {
  return rows.map(([area, source, does, ...codes]) => ({ vendor, area, does, codes, source }));
}
