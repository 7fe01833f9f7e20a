import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText, render } from '../src/texts/render.ts';
import { someCall } from './support/call.ts';
import { fieldsOf, plan } from './support/compile.ts';

const summary = (call = someCall(), transcript = 'full') => {
  const planned = plan(
    `call_log: { body: { template: call-summary, transcript: ${transcript} } }
tasks: [ { name: a, body: { template: call-summary, transcript: ${transcript} } } ]\n`,
    call,
  );
  return { html: String(fieldsOf(planned, 'call_log').notes), plain: String(fieldsOf(planned, 'a').description) };
};

test('what a reader sees of a summary with markup is the plain one', () => {
  const { html, plain } = summary();
  expect(plainText(html)).toBe(plain.replace(/^(Collected|Analysis|Transcript):$/gm, '$1'));
});

test('a summary says what is known, in either kind of field', () => {
  const { html, plain } = summary();
  expect(plain).toBe(`Outcome: Connected
Direction: Outbound
Duration: 2 min 14 s
Agent: Alice
Ended by: the person

Collected:
Budget: 12,000
Seats: 20
Wants callback: True
Topics: renewal, Security
Best time: mornings

Analysis:
Goal reached: partly

Recording: https://recordings.example.com/1.mp3

Transcript:
Agent: Hello
Caller: Hi & bye`);
  expect(html).toContain('<strong>Outcome:</strong> Connected<br><strong>Direction:</strong> Outbound<br>');
  expect(html).toMatch(/Agent: Hello<br>Caller: Hi &amp; bye$/);
});

test('how much was said is the mapping’s choice', () => {
  expect(summary(someCall(), 'link').plain).toMatch(/Recording: https[^\n]*$/);
  expect(summary(someCall(), 'none').plain).not.toMatch(/Recording|Transcript/);
});

test('judgements are sentences with their remarks, each once', () => {
  const analysis = {
    goal: 'partial',
    goal_feedback: 'No date was agreed on.',
    user_sentiment: 'true',
    style: 'true',
    steps: 'false',
    steps_feedback: 'The price was not named.',
    no_opt_out: 'false',
    objections: 'not_applicable',
    opted_in: 'not_applicable',
    judge_found_partial_or_error: 'true',
    all_feedback: 'No date was agreed on. The price was not named.',
    upsell_quality: 'partial',
    upsell_quality_feedback: ' Too early. ',
    small_talk: 'lively',
  };
  const said = (call: Parameters<typeof someCall>[0]) =>
    /Analysis:\n([\s\S]*)$/.exec(summary(someCall({ vars: {}, ...call }), 'none').plain)?.[1];
  expect(said({ analysis })).toBe(`Agent followed its steps: no. The price was not named.
Goal reached: partly. No date was agreed on.
Caller content: yes
Asked not to be called again: yes
Upsell quality: partly. Too early.
Small talk: lively`);
  // Of a machine, only what went wrong.
  expect(said({ analysis: { user_sentiment: 'true', no_opt_out: 'true', goal: 'false' }, outcome: 'voicemail' })).toBe(
    'Goal reached: no',
  );
  expect(said({ analysis: { goal: 'true', no_opt_out: 'true', all_feedback: 'Fine.' } })).toBe(
    'Goal reached: yes\nRemarks: Fine.',
  );
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`own_${n}`, 'not_applicable'] as const));
  expect(said({ analysis: { ...many, zeal: 'partial', all_feedback: '' } })).toBe('Zeal: partly');
  expect(said({ analysis: { persona: 'true', persona_feedback: 'A bit stiff.' } })).toBe(
    'Agent kept its role: A bit stiff.',
  );
});

test('what is not known is not mentioned', () => {
  const { direction, duration, recording_url, transcript, ...rest } = someCall({
    outcome: 'no_answer',
    answered_by: 'nobody',
    end_reason: 'unknown',
    vars: {},
    analysis: {},
    agent: {},
    turns: [],
  });
  expect(summary(rest as never).plain).toBe('Outcome: No answer');
  expect([direction, duration, recording_url, transcript]).not.toContain(undefined);
  expect(summary({ ...rest, error: ' ', outcome: undefined, answered_by: 'human' } as never).plain).toBe('undefined');
});

test('a call without anything has nothing to say, and whatever it has instead is no trouble', () => {
  const bare = { id: 'c-1', source: 'main', lead: {} };
  expect(summary(bare as never).plain).toBe('undefined');
  const odd = { direction: 'inbound', error: 5, agent: { name: 5 }, analysis: { goal_feedback: 5, all_feedback: 5 } };
  expect(summary({ ...bare, ...odd, turns: 'x', vars: { a: {} } } as never).plain).toBe('Direction: Inbound');
  expect(summary({ ...bare, turns: [{ speaker: 'unknown', text: 'Hello' }] } as never).plain).toBe(
    'Transcript:\nHello',
  );
});

test('a machine behind a connected call is named', () => {
  expect(summary(someCall({ answered_by: 'machine' })).plain).toMatch(/^Outcome: Connected \(answered by a machine\)/);
  expect(summary(someCall({ outcome: 'voicemail', answered_by: 'machine' })).plain).toMatch(/^Outcome: Voicemail\n/);
});

test('a recording that is no web address is no link', () => {
  expect(summary(someCall({ recording_url: 'javascript:alert(1)' })).html).not.toContain('javascript');
});

test('nothing that a caller says becomes markup', () => {
  const evil = '<img src=x onerror=alert(1)> & "\'';
  const call = someCall({ vars: { [evil]: evil }, lead: { name: evil }, turns: [{ speaker: 'human', text: evil }] });
  const { html, plain } = summary(call);
  expect(html).not.toMatch(/<(?!\/?strong>|br>)/);
  expect(plain).toContain(evil);
  const body = (text: string) => fieldsOf(plan(`call_log: { body: ${text} }\n`, call), 'call_log').notes;
  expect(body('"<b>{{ lead.name }}</b>"')).toBe('<b>&lt;img src=x onerror=alert(1)&gt; &amp; &quot;&#39;</b>');
  expect(body('lead.name')).toBe('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;&#39;');
  expect(body('{ from: lead.name, transform: trim }')).not.toContain('<');
  // The same property, written by its own name.
  const own = fieldsOf(plan('call_log: { fields: { notes: lead.name } }\n', call), 'call_log').notes;
  expect(own).toBe('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;&#39;');
});

test('lines of the mapping and of the call are lines in the CRM', () => {
  const call = someCall({ vars: { note: 'one\ntwo' } });
  const body = `call_log:\n  body: |\n    First: {{ vars.note }}\n    Last\n`;
  expect(fieldsOf(plan(body, call), 'call_log').notes).toBe('First: one<br>two<br>Last<br>');
});

test('a long transcript is cut and says how much is missing; the rest stays whole', () => {
  const call = someCall({ turns: [{ speaker: 'human', text: '<&>'.repeat(1000) }] });
  const { html, plain } = summary(call);
  for (const [text, limit] of [
    [html, 600],
    [plain, 400],
  ] as const) {
    expect(text.length).toBeLessThanOrEqual(limit);
    expect(text).toMatch(/Outcome/);
    const missing = Number(/ … \[(\d+) more characters\]$/.exec(text)?.[1]);
    const said = text.slice(text.indexOf('Caller: '));
    const kept = (said.match(/(?:&lt;|&amp;|&gt;|[<>]|&(?![a-z]+;))/g) ?? []).length;
    expect(kept + missing).toBe(3000);
  }
});

test('a text fits its limit, holds no broken entity and no half character, and tells what is missing', () => {
  const piece = fc.oneof(
    fc.record({ said: fc.string({ unit: 'binary', maxLength: 300 }) }),
    fc.constant({ html: '<br>', plain: '\n' }),
    fc.constant({ html: '<strong>x</strong>', plain: 'x' }),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 100, max: 600 }),
      fc.constantFrom('html', 'text'),
      (pieces, limit, kind) => {
        const whole = render(pieces, kind as 'html');
        const cut = render(pieces, kind as 'html', limit);
        expect(cut.length).toBeLessThanOrEqual(limit);
        expect(cut.isWellFormed()).toBe(true);
        if (whole.length <= limit) expect(cut).toBe(whole);
        else if (!/ … \[[1-9]\d* more characters\]/.test(cut)) {
          // Only the markup had no room.
          const said = pieces.map((one) => ({ said: 'said' in one ? one.said : one.plain }));
          expect(cut).toBe(render(said, kind as 'html'));
        }
        if (kind === 'html') expect(cut.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.toMatch(/[&"']/);
      },
    ),
  );
});

test('a text that fits without its markup is whole', () => {
  const bold = { html: '<b>bold</b>', plain: 'bold' };
  expect(render(Array(10).fill(bold), 'html', 100)).toBe('bold'.repeat(10));
});

test('even a very small field gets what fits', () => {
  expect(render([{ said: 'abcdef' }], 'text', 3)).toBe('abc');
  expect(render([{ said: '<<<' }], 'html', 5)).toBe('&lt;');
});

const LINE = { html: '<br>', plain: '\n' };
test.each<[string, Parameters<typeof render>[0], number, string]>([
  ['fits to the character', [{ said: 'abcdef' }], 6, 'abcdef'],
  [
    'is cut in its first part',
    [{ said: 'a'.repeat(100) }, LINE, { said: 'b'.repeat(100) }],
    120,
    `${'a'.repeat(59)} … [141 more characters]\n`,
  ],
  [
    'is cut in a later part, and what follows is left out',
    [{ said: 'a'.repeat(10) }, LINE, { said: 'b'.repeat(100) }, LINE, { said: 'c' }],
    100,
    `${'a'.repeat(10)}\n${'b'.repeat(28)} … [73 more characters]\n`,
  ],
  [
    'has more markup than room',
    [{ html: '', plain: 'x'.repeat(50) }, { said: 'y'.repeat(100) }],
    100,
    `${'x'.repeat(40)} … [110 more characters]`,
  ],
  [
    'has as much markup as leaves room for what is missing',
    [{ html: '', plain: 'x'.repeat(40) }, { said: 'y'.repeat(100) }],
    100,
    `${'x'.repeat(40)} … [100 more characters]`,
  ],
  ['has room for what is missing alone', [{ said: 'y'.repeat(100) }], 60, ' … [100 more characters]'],
  [
    'has markup, and room for what is missing alone',
    [{ html: '', plain: 'x' }, { said: 'y'.repeat(100) }],
    60,
    ' … [101 more characters]',
  ],
  ['holds what would be markup', [{ said: '<'.repeat(101) }], 100, `${'<'.repeat(40)} … [61 more characters]`],
  ['has not even that', [{ said: 'y'.repeat(100) }], 59, 'y'.repeat(59)],
])('a text that %s', (_what, pieces, limit, text) => {
  expect(render(pieces, 'text', limit)).toBe(text);
});

test('markup stays as long as there is room to say what is missing, and nothing stands after the cut', () => {
  const bold = { html: '<b>x</b>', plain: 'x' };
  expect(render([bold, { said: 'y'.repeat(100) }], 'html', 68)).toBe('<b>x</b> … [100 more characters]');
  expect(render([{ said: '&'.repeat(100) }, LINE, { said: 'bbb' }], 'html', 72)).toBe(
    '&amp; … [102 more characters]<br>',
  );
});

test('a reader sees a line for each break and each end of a block, and no other markup', () => {
  expect(plainText('a<br>b<BR/>c<br  />d</p>e</li>f</div>g</h2>h <i>x</i><p class="y">z')).toBe(
    'a\nb\nc\nd\ne\nf\ng\nh xz',
  );
  expect(plainText('&amp;&lt;&gt;&quot;&#39;&nbsp;')).toBe('&<>"\'&nbsp;');
});

test('a long list of variables ends with how many there are more, and empty ones are left out', () => {
  const collected = (empty: number) => {
    const none = Object.fromEntries(Array.from({ length: empty }, (_, n) => [`v${n}`, n % 2 === 0 ? null : ' ']));
    return summary(someCall({ vars: { first: 0, ...none, last: 1 } as never, analysis: {} }), 'none').plain;
  };
  expect(collected(58)).toMatch(/Collected:\nFirst: 0\nLast: 1$/);
  expect(collected(59)).toMatch(/Collected:\nFirst: 0\n… and 1 more$/);
  expect(collected(60)).toMatch(/Collected:\nFirst: 0\n… and 2 more$/);
});

test('a failed call that a person answered, with its reason and its error', () => {
  const call = someCall({ outcome: 'failed', answered_by: 'human', end_reason_text: 'Offer sent', error: 'no route' });
  expect(summary(call, 'none').plain).toMatch(
    /^Outcome: Failed \(answered by a person\)\n[\s\S]*\nEnd reason: Offer sent\nError: no route\n/,
  );
  expect(summary(someCall({ turns: [], transcript: ' \n' })).plain).not.toContain('Transcript');
  expect(summary(someCall({ turns: [], transcript: 'All in one' })).plain).toMatch(/Transcript:\nAll in one$/);
  expect(summary(someCall({ recording_url: 'HTTP://x.example/1' })).plain).toContain('Recording: HTTP://x.example/1');
  expect(summary(someCall({ recording_url: 'see https://x.example/1' })).plain).not.toContain('Recording');
});
