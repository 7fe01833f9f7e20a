/**
 * HTML by tagged template, for the pages of dashboard and sandbox: values in `html` are escaped unless `html` made them.
 * Callers' and CRMs' text reaches a page in no other way.
 */

/** Markup that is safe to send. Made by `html` only. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static join(strings: readonly string[], values: readonly unknown[]): Html {
    let text = strings[0] ?? '';
    for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? '');
    return new Html(text);
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: nothing for null, undefined and false; arrays one after the other. */
export type HtmlPart = Html | string | number | null | undefined | false | readonly HtmlPart[];

export function html(strings: TemplateStringsArray, ...values: HtmlPart[]): Html {
  return Html.join(strings, values);
}

function render(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeHtml(String(value));
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Safe as text and inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
