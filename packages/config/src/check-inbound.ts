import type { Finding } from '@wrapup/mapping';
import type { Inbound } from './config.ts';
import { didYouMean } from './did-you-mean.ts';
import type { YamlDocument } from './document.ts';
import { compileCondition } from './language.ts';
import type { WrapupFile } from './schema.ts';

/** Rules of `inbound:` that go beyond its shape. */
export function checkInbound(file: WrapupFile, document: YamlDocument): { inbound?: Inbound; findings: Finding[] } {
  const { inbound } = file;
  if (!inbound) return { findings: [] };
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], code: string, path: PropertyKey[], message: string, hint: string) =>
    findings.push({ severity, code, message, hint, at: document.origin(['inbound', ...path]).value });

  const declared = Object.keys(file.declared);
  if (!declared.includes(inbound.look_up)) {
    const hint = didYouMean(inbound.look_up, declared);
    add('error', 'unknown-connection', ['look_up'], `inbound: there is no connection "${inbound.look_up}"`, hint);
  }
  if (inbound.guard === 'none') {
    add(
      'warning',
      'open-directory',
      ['guard'],
      'inbound: guard: none tells CRM data about any number to whoever asks',
      'set a path_token on the source and remove guard: none',
    );
  } else if (Object.values(file.sources).every((source) => source.path_token.length === 0)) {
    add(
      'warning',
      'no-path-token',
      ['look_up'],
      'inbound: no source has a path_token, so every inbound call gets the neutral answer',
      'set path_token on the source and put it into the address at Synthflow',
    );
  }
  const agents: Inbound['agents'] = [];
  inbound.agents.forEach((rule, index) => {
    const path = ['agents', index];
    if ((rule.agent === undefined) === !rule.decline) {
      add(
        'error',
        'bad-value',
        path,
        `inbound.agents[${index}] must say either agent: <model id> or decline: true`,
        'keep one of the two',
      );
    }
    if (rule.decline && rule.when === undefined) {
      add(
        'error',
        'bad-value',
        path,
        `inbound.agents[${index}] declines every call that reaches it`,
        'say with when which calls are declined',
      );
    }
    const compiled =
      rule.when === undefined ? undefined : compileCondition(rule.when, document, ['inbound', ...path, 'when']);
    findings.push(...(compiled?.findings ?? []));
    const when = compiled ? compiled.when : () => true;
    if (when) agents.push({ when, decline: rule.decline, ...(rule.agent === undefined ? {} : { agent: rule.agent }) });
  });
  return { inbound: { ...inbound, agents }, findings };
}
