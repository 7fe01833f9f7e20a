import { isMap, type Node, textOf } from '@wrapup/findings';
import type { Compiling } from '../language/compile-path.ts';
import { compileText } from '../language/text.ts';
import type { Piece } from '../texts/render.ts';
import { writeTemplate } from '../texts/summary.ts';
import { BODY_TEMPLATES, type BodyTemplate, type TranscriptPolicy } from '../texts/templates.ts';
import { Absent } from '../values/found.ts';
import { partsSource, type TextSource } from './text-source.ts';

/** What makes it a body rather than a value. */
export const BODY_KEYS = ['template', 'text', 'transcript'];

const NOTHING = new Absent('the call has nothing to say here');
const BLANK_LINE: Piece = { html: '<br><br>', plain: '\n\n' };

/**
 * `{ template: call-summary, transcript: full }` or `{ text: "…", transcript: link }`.
 * @returns undefined when it is another form, or was reported
 */
export function compileBody(node: Node, compiling: Compiling): TextSource | undefined {
  if (!isMap(node)) return undefined;
  const { report } = compiling;
  const [template, text] = [node.entries.get('template'), node.entries.get('text')];
  const transcript = (textOf(node.entries.get('transcript')?.value) ?? 'none') as TranscriptPolicy;
  if (!template && !text) {
    const entry = node.entries.get('transcript');
    if (entry)
      report.error(
        'bad-value',
        'it says how much of the transcript, and of what text',
        entry.key,
        'add template: call-summary, or text: …',
      );
    return undefined;
  }
  for (const [key, entry] of node.entries) {
    if (key === 'transcript' || key === (template ? 'template' : 'text')) continue;
    report.error(
      'bad-value',
      `a body with ${template ? 'a template' : 'its own text'} takes no ${key}`,
      entry.key,
      'take one of the two out',
    );
    return undefined;
  }
  if (template) {
    const name = textOf(template.value) as BodyTemplate;
    if (!BODY_TEMPLATES.includes(name)) return undefined;
    return ({ call }) => {
      const pieces = writeTemplate(name, transcript, call);
      return pieces.length > 0 ? pieces : NOTHING;
    };
  }
  const written = text?.value;
  if (written?.kind !== 'scalar') return undefined;
  const compiled = compileText(String(written.value), written.locate, 'text', compiling);
  return compiled && withTranscript(partsSource(compiled.parts), transcript);
}

function withTranscript(own: TextSource, transcript: TranscriptPolicy): TextSource {
  return (scope) => {
    const pieces = own(scope);
    const rest = writeTemplate('transcript', transcript, scope.call);
    if (pieces instanceof Absent) return rest.length > 0 ? rest : pieces;
    return rest.length > 0 ? [...pieces, BLANK_LINE, ...rest] : pieces;
  };
}
