/** The editor in the colours of the page, which change with light and dark by themselves. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';

const theme = EditorView.theme({
  '&': {
    color: 'var(--text)',
    backgroundColor: 'var(--card)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    fontSize: '0.85rem',
    height: '30rem',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '2px' },
  '.cm-scroller': { fontFamily: MONO, lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--soft)', backgroundColor: 'var(--card)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '.cm-activeLineGutter': { color: 'var(--text)', fontWeight: '700' },
  '.cm-content ::selection, .cm-content::selection': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--wait-back)', outline: 'none' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--dead-back)', outline: 'none' },
  '.cm-tooltip': {
    color: 'var(--text)',
    backgroundColor: 'var(--card)',
    border: '1px solid var(--soft)',
    borderRadius: '6px',
    maxWidth: 'min(28rem, 90vw)',
  },
  '.cm-tooltip-hover > div, .cm-completionInfo': { padding: '0.4rem 0.6rem' },
  '.cm-tooltip p': { margin: '0.2rem 0 0' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: MONO },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.15rem 0.6rem' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  // The library draws these lines as images in data addresses, which our policy does not load.
  '.cm-lintRange': { paddingBottom: '0' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--dead)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--park)' },
  '.cm-lintRange-active': { backgroundColor: 'var(--idle-back)' },
  '.cm-diagnostic': { padding: '0.4rem 0.6rem' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--dead)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--park)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--wait)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--soft)' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--soft)' },
  { tag: [tags.labelName, tags.typeName, tags.meta, tags.keyword], color: 'var(--park)' },
]);

export const look = [theme, syntaxHighlighting(colours)];
