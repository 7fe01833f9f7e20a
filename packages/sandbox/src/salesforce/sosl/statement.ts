/**
 * `FIND {…} IN PHONE FIELDS RETURNING Contact(Id, Name WHERE … ORDER BY … LIMIT 5), Lead LIMIT 50`. What stands in the
 * parentheses after an object is SOQL without its `SELECT` and `FROM`, and is read as such.
 * https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-in.html
 */
import type { Query } from '@jetstreamapp/soql-parser-js';
import { createToken, EmbeddedActionsParser, type IToken, Lexer, type TokenType } from 'chevrotain';
import { SalesforceRefusal } from '../http/refusal.ts';
import { parse as parseSoql } from '../soql/query.ts';

export const GROUPS = ['ALL', 'NAME', 'EMAIL', 'PHONE', 'SIDEBAR'] as const;
export type Group = (typeof GROUPS)[number];

export interface Statement {
  /** What stands between the braces. */
  find: string;
  group: Group;
  returning: { object: string; query: Query }[];
  limit: number | undefined;
}

const keyword = (name: string, longer: TokenType) =>
  createToken({ name, pattern: new RegExp(name, 'i'), longer_alt: longer });

const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED });
const Search = createToken({ name: 'Search', pattern: /\{(?:\\[\s\S]|[^{}\\])*\}/, line_breaks: true });
const Text = createToken({ name: 'Text', pattern: /'(?:\\[\s\S]|[^'\\])*'/, line_breaks: true });
const Word = createToken({ name: 'Word', pattern: /[A-Za-z_][\w.]*/ });
const Integer = createToken({ name: 'Integer', pattern: /\d+(?![\w:-])/ });
const Open = createToken({ name: 'Open', pattern: /\(/ });
const Close = createToken({ name: 'Close', pattern: /\)/ });
const Comma = createToken({ name: 'Comma', pattern: /,/ });
const Other = createToken({ name: 'Other', pattern: /[^\s'(){},]+/ });
const Find = keyword('FIND', Word);
const In = keyword('IN', Word);
const Fields = keyword('FIELDS', Word);
const Returning = keyword('RETURNING', Word);
const Limit = keyword('LIMIT', Word);

const TOKENS = [Space, Search, Text, Find, Fields, Returning, Limit, In, Word, Integer, Open, Close, Comma, Other];
const lexer = new Lexer(TOKENS);

class StatementParser extends EmbeddedActionsParser {
  text = '';

  constructor() {
    super(TOKENS);
    this.performSelfAnalysis();
  }

  statement = this.RULE('statement', (): Statement => {
    this.CONSUME(Find);
    const find = this.CONSUME(Search).image.slice(1, -1);
    let group: Group = 'ALL';
    this.OPTION(() => {
      this.CONSUME(In);
      const word = this.CONSUME(Word).image.toUpperCase();
      this.CONSUME(Fields);
      this.ACTION(() => {
        if (!GROUPS.includes(word as Group)) throw malformedSearch(`unexpected token: '${word}'`);
        group = word as Group;
      });
    });
    const returning: Statement['returning'] = [];
    this.OPTION2(() => {
      this.CONSUME(Returning);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => void returning.push(this.SUBRULE(this.object)) });
    });
    let limit: number | undefined;
    this.OPTION3(() => {
      this.CONSUME(Limit);
      limit = Number(this.CONSUME(Integer).image);
    });
    return { find, group, returning, limit };
  });

  object = this.RULE('object', () => {
    const object = this.CONSUME(Word).image;
    let inner = 'Id';
    this.OPTION(() => {
      const open = this.CONSUME(Open);
      this.MANY(() => this.SUBRULE(this.piece));
      const close = this.CONSUME(Close);
      inner = this.ACTION(() => this.text.slice(open.startOffset + 1, close.startOffset));
    });
    return this.ACTION(() => ({ object, query: queryOf(object, inner) }));
  });

  /** Anything but a closing parenthesis without its opening one. */
  piece = this.RULE('piece', (): void => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(Open);
          this.MANY(() => this.SUBRULE(this.piece));
          this.CONSUME(Close);
        },
      },
      ...[Text, Word, Integer, Comma, Other, Find, In, Fields, Returning, Limit].map((token) => ({
        ALT: () => void this.CONSUME(token),
      })),
    ]);
  });
}

const parser = new StatementParser();

/** @throws Refusal MALFORMED_SEARCH */
export function parseStatement(sosl: string): Statement {
  const { tokens, errors } = lexer.tokenize(sosl);
  if (errors[0]) throw malformedSearch(errors[0].message);
  parser.text = sosl;
  parser.input = tokens;
  const statement = parser.statement();
  const [problem] = parser.errors;
  if (problem) throw malformedSearch(describe(problem.token));
  return statement;
}

function describe(token: IToken): string {
  return token.image
    ? `unexpected token: '${token.image}' at column ${token.startColumn}`
    : 'unexpected end of the search';
}

/** The object's fields and clauses as a query. */
function queryOf(object: string, inner: string): Query {
  const clause = /(?:^|\s)(?:WHERE|ORDER\s+BY|LIMIT|OFFSET|USING)\s/i.exec(inner);
  const fields = clause ? inner.slice(0, clause.index) : inner;
  const rest = clause ? inner.slice(clause.index) : '';
  return parseSoql(`SELECT ${fields.trim() || 'Id'} FROM ${object} ${rest}`);
}

export function malformedSearch(message: string): SalesforceRefusal {
  return new SalesforceRefusal('MALFORMED_SEARCH', message);
}
