/**
 * What stands between the braces of a search: words, phrases in quotes, AND, OR, AND NOT, parentheses, `*` and `?`.
 * A reserved character that is meant as such must be escaped.
 */
import { createToken, EmbeddedActionsParser, Lexer } from 'chevrotain';
import { malformedSearch } from './statement.ts';

export type Terms =
  | { kind: 'term'; text: string; phrase: boolean }
  | { kind: 'and' | 'or'; parts: Terms[] }
  | { kind: 'not'; part: Terms };

/** Above this the vendor ignores the operators; above the other nothing is found. */
export const MOST_WITH_OPERATORS = 4_000;
export const MOST = 10_000;

const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED });
const Phrase = createToken({ name: 'Phrase', pattern: /"(?:\\[\s\S]|[^"\\])*"/, line_breaks: true });
const Term = createToken({
  name: 'Term',
  pattern: /(?:\\[\s\S]|[^\s?&|!{}[\]()^~:\\"'+-])(?:\\[\s\S]|[^\s&|!{}[\]()^~:\\"'+-])*/,
});
const And = createToken({ name: 'And', pattern: /AND(?![^\s()"])|&&?/i, longer_alt: Term });
const Or = createToken({ name: 'Or', pattern: /OR(?![^\s()"])|\|\|?/i, longer_alt: Term });
const Not = createToken({ name: 'Not', pattern: /NOT(?![^\s()"])|!/i, longer_alt: Term });
const Open = createToken({ name: 'Open', pattern: /\(/ });
const Close = createToken({ name: 'Close', pattern: /\)/ });

const TOKENS = [Space, Phrase, And, Or, Not, Open, Close, Term];
const lexer = new Lexer(TOKENS);

class TermsParser extends EmbeddedActionsParser {
  constructor() {
    super(TOKENS);
    this.performSelfAnalysis();
  }

  /** OR binds looser than AND; words side by side are AND. */
  either = this.RULE('either', (): Terms => {
    const parts: Terms[] = [this.SUBRULE(this.both)];
    this.MANY(() => {
      this.CONSUME(Or);
      parts.push(this.SUBRULE2(this.both));
    });
    return parts.length === 1 ? (parts[0] as Terms) : { kind: 'or', parts };
  });

  both = this.RULE('both', (): Terms => {
    const parts: Terms[] = [this.SUBRULE(this.one)];
    this.MANY(() => {
      this.OPTION(() => this.CONSUME(And));
      let negated = false;
      this.OPTION2(() => {
        this.CONSUME(Not);
        negated = true;
      });
      const part = this.SUBRULE2(this.one);
      parts.push(negated ? { kind: 'not', part } : part);
    });
    return parts.length === 1 ? (parts[0] as Terms) : { kind: 'and', parts };
  });

  one = this.RULE(
    'one',
    (): Terms =>
      this.OR<Terms>([
        { ALT: () => ({ kind: 'term', text: unescaped(this.CONSUME(Phrase).image.slice(1, -1)), phrase: true }) },
        { ALT: () => ({ kind: 'term', text: unescaped(this.CONSUME(Term).image), phrase: false }) },
        {
          ALT: () => {
            this.CONSUME(Open);
            const inner = this.SUBRULE(this.either);
            this.CONSUME(Close);
            return inner;
          },
        },
      ]),
  );
}

const parser = new TermsParser();

/** @returns undefined when nothing can be found. @throws Refusal MALFORMED_SEARCH */
export function parseTerms(find: string): Terms | undefined {
  if (find.length > MOST) return undefined;
  const { tokens, errors } = lexer.tokenize(find);
  if (errors[0]) throw malformedSearch(`unexpected character in the search: ${errors[0].message}`);
  if (find.length > MOST_WITH_OPERATORS) {
    const parts = tokens
      .filter(({ tokenType }) => tokenType === Term || tokenType === Phrase)
      .map(
        ({ image, tokenType }): Terms => ({
          kind: 'term',
          text: unescaped(tokenType === Phrase ? image.slice(1, -1) : image),
          phrase: tokenType === Phrase,
        }),
      );
    return { kind: 'or', parts };
  }
  parser.input = tokens;
  const terms = parser.either();
  const [problem] = parser.errors;
  if (problem) throw malformedSearch(`unexpected token: '${problem.token.image || '}'}'`);
  for (const text of textsOf(terms)) {
    if (text.replace(/[*?]/g, '').length < 2) {
      throw malformedSearch(`search term must be longer than one character: ${text}`);
    }
  }
  return terms;
}

function textsOf(terms: Terms): string[] {
  if (terms.kind === 'term') return [terms.text];
  return terms.kind === 'not' ? textsOf(terms.part) : terms.parts.flatMap(textsOf);
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, '$1');
}
