/** CodeMirror in place of a text field, which stays in the form and follows what is typed. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput, indentService, indentUnit } from '@codemirror/language';
import { type Diagnostic, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { completeMapping, explainOnHover, type Known } from './complete.ts';
import { look } from './look.ts';

/** A finding of the server; line and column count from 1. */
export interface EditorFinding {
  line: number;
  column: number;
  severity: 'error' | 'warning';
  message: string;
}

export interface Editor {
  show(findings: readonly EditorFinding[]): void;
  goTo(line: number, column: number): void;
}

/** Behind a key without a value what follows stands further in, whatever stands below it already. */
const belowKey = indentService.of((context, at) => {
  const { text } = context.lineAt(at, -1);
  if (!/^\s*[^\s#].*:\s*(?:#.*)?$/.test(text)) return undefined;
  return context.lineIndent(at, -1) + (/^\s*- /.test(text) ? 4 : 2);
});

/**
 * It lives in a shadow tree: there the library adds its styles as constructed sheets, which our policy lets through, and not as
 * style elements, which it refuses.
 */
export function openEditor(field: HTMLTextAreaElement, known: () => Known, changed: () => void): Editor {
  const label = field.closest('label') ?? field;
  const host = document.createElement('div');
  host.id = 'editor';
  label.before(host);
  label.hidden = true;
  const root = host.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: field.value,
      extensions: [
        ...[lineNumbers(), highlightActiveLineGutter(), history(), indentOnInput(), bracketMatching(), closeBrackets()],
        ...[indentUnit.of('  '), belowKey, yaml(), look],
        autocompletion({ override: [completeMapping(known)], icons: false }),
        explainOnHover(known),
        keymap.of([
          ...[...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap],
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({
          'aria-label': 'Mapping; Escape, then Tab leaves the editor',
          spellcheck: 'false',
        }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          field.value = update.state.doc.toString();
          changed();
        }),
      ],
    }),
  });
  const placeOf = (line: number, column: number): number => {
    const { doc } = view.state;
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    return Math.min(at.from + column - 1, at.to);
  };
  return {
    show(findings) {
      const diagnostics = findings.map(({ line, column, severity, message }): Diagnostic => {
        const from = placeOf(line, column);
        const rest = view.state.doc.lineAt(from).text.slice(from - view.state.doc.lineAt(from).from);
        const length = /^(?:"[^"]*"|'[^']*'|[^\s:,{}[\]]+)/.exec(rest)?.[0].length ?? rest.length;
        return { from, to: from + length, severity, message };
      });
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    goTo(line, column) {
      view.dispatch({
        selection: { anchor: placeOf(line, column) },
        effects: EditorView.scrollIntoView(placeOf(line, column), { y: 'center' }),
      });
      view.focus();
    },
  };
}
