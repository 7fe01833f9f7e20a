/** docs/reference/analysis.md: what Synthflow judges, and where it fits in a CRM. */
import { AGGREGATES, CRITERIA, REMARK } from '@wrapup/call';
import { KINDS } from '@wrapup/config';
import { compileMapping } from '@wrapup/mapping';
import { code, GENERATED, table } from './markdown.ts';

const VALUES = '`true`, `false`, `not_applicable`';
const IN_PART = '`true`, `partial`, `false`, `not_applicable`';
const FITS = {
  judgement: 'choice or short text (yes, partly, no); checkbox with `transform: boolean`',
  remark: 'long text',
  checkbox: 'checkbox, with `transform: boolean`',
};

/** The fields of the preset call-quality, by the line of the preset that reads a path. */
function presetFields(kind: string): (path: string) => string {
  const dialect = KINDS[kind]?.dialect;
  const text = dialect?.presets['call-quality']?.() ?? '';
  const mapping =
    dialect &&
    compileMapping({ name: 'm.yaml', text: `extends: ${kind}/call-quality\n`, dialect, readFile: () => undefined })
      .mapping;
  const lines = text.split('\n');
  const own = (mapping?.fields ?? []).filter(({ property }) => /^wrapup_/i.test(property));
  const counted = (path: string) =>
    new RegExp(`path: ${path.replace('.', '\\.')}, equals: true`).test(text) ? ['counted'] : [];
  return (path) =>
    own
      .filter(({ at }) => new RegExp(`\\b${path.replace('.', '\\.')}\\b`).test(lines[at.line - 1] ?? ''))
      .map(({ property }) => code(property))
      .concat(counted(path))
      .filter((property, index, all) => all.indexOf(property) === index)
      .join(', ');
}

export function analysisPage(): string {
  const [hubspot, salesforce] = [presetFields('hubspot'), presetFields('salesforce')];
  const row = (name: string, says: string, values: string, fits: string) => {
    const path = `analysis.${name}`;
    return [code(path), says, values, fits, [...new Set([hubspot(path), salesforce(path)])].filter(Boolean).join('; ')];
  };
  const heads = ['path', 'says', 'values', 'CRM field that fits', 'preset `call-quality`'];
  return `${[
    '# Analysis: how a call was judged',
    GENERATED,
    'After a call Synthflow judges it by sixteen criteria, with a remark on each that is not met, and sums up. Webhooks bring it as `analysis`, the list of the API as `judge_results`; mappings read both as `analysis.<name>`. `check` knows the 35 names: a mistyped one is an error with the right one, another name a warning, for an evaluation of your own may have any.',
    'The last column says where the presets `hubspot/call-quality` and `salesforce/call-quality` write it; “counted”: one of the ten criteria of the agent whose number is `criteria_met` and `criteria_missed`.',
    '## Before you rely on it',
    CAUTION,
    '## The criteria',
    table(
      heads,
      CRITERIA.map(({ name, says, partial }) => row(name, says, partial ? IN_PART : VALUES, FITS.judgement)),
    ),
    'Which criteria can be `partial` is documented nowhere; it was seen of those that name it here, and is read of all. Values come as texts in any capitals, as true and false, or not at all, and are one spelling in mappings.',
    '## The remarks',
    `Empty where a criterion is met.`,
    table(
      heads,
      CRITERIA.map(({ name }) => row(`${name}${REMARK}`, `why ${code(name)} is not met`, 'a text', FITS.remark)),
    ),
    '## The aggregates',
    table(
      heads,
      AGGREGATES.map(({ name, says, text }) =>
        row(name, says, text ? 'a text' : '`true`, `false`', text ? FITS.remark : FITS.checkbox),
      ),
    ),
    '## In a mapping',
    EXAMPLE,
    '## In the text of a call log',
    'The body that the presets write has a part “Analysis” in sentences: “Goal reached: partly. No date was agreed on.” What says something of the person stands there whenever one was spoken to, what says something of the agent only where it is not met. `all_feedback` repeats the remarks, and is written only where they are missing.',
    table(
      ['path', 'sentence'],
      CRITERIA.map(({ name, label, inverted }) => [
        code(`analysis.${name}`),
        inverted ? `${label}: yes (where it is false)` : `${label}: yes, partly or no`,
      ]),
    ),
    '## The end condition',
    '`custom_end_call_reason` is the text of the end condition that ended the call. Mappings read it under that name, or as `call.end_reason_text`; the presets write it into the body (“End reason”), `call-quality` into a field of its own, and [results](results.md) follow it.',
  ].join('\n\n')}\n`;
}

const CAUTION = `- A language model judges. It errs, and nothing is proved by it: a preset never sets a do-not-call flag because of a judgement alone ([do not call](../recipes/README.md#do-not-call)).
- Mailboxes are judged like persons. Ask \`call.outcome\` first, as the preset \`call-quality\` does; calls that failed are not judged at all.
- \`analysis.call_summary\` is a judgement, not a summary, and its remark is empty where all is well.
- \`analysis.no_opt_out\` says no twice: **false** means that the person did opt out.`;

const EXAMPLE = `\`\`\`yaml
extends: hubspot/call-quality        # scores and aggregates on the call; salesforce/call-quality likewise
person:
  fields:
    last_call_goal: { from: analysis.goal, map: { "true": Reached, partial: In part, "false": Missed }, default: null }
tasks:
  - name: listen-again
    when: { all: [ { path: my.is_judged, equals: true }, { path: analysis.judge_found_full_error, equals: true } ] }
    subject: "Listen again: {{ analysis.all_feedback | truncate: 100 }}"
\`\`\``;
