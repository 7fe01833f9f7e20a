/** A digest in words: as a whole, and part by part for who arranges them otherwise. */
import { spoken } from '@wrapup/call';
import type { DigestAgent, DigestCount, DigestFacts, DigestTexts } from '@wrapup/destination';
import { showShare, showTime } from '../stats/show-numbers.ts';

/** A criterion is named as the weakest of an agent where so many calls at least were judged by it. */
const MIN_JUDGED = 10;

export function writeDigestTexts(facts: DigestFacts): DigestTexts {
  const { client, title, link } = facts;
  const headline = `${client === '' ? '' : `${client}: `}${title}`;
  const sections = {
    calls_text: callsText(facts),
    landed_text: landedText(facts),
    outcomes_text: countsText(facts.outcomes, facts, 'No call ended in this time.'),
    results_text: countsText(facts.results, facts, 'No call came to a result that a mapping names.'),
    stopped_text: stoppedText(facts),
    omissions_text: omissionsText(facts),
    connections_text: connectionsText(facts),
    agents_text: agentsText(facts.agents),
    clients_text: clientsText(facts),
  };
  const part = (name: string, text: string) => (text.includes('\n') ? `${name}:\n${text}` : `${name}: ${text}`);
  const lines = [
    headline,
    sections.calls_text,
    sections.landed_text,
    facts.outcomes.length > 0 && part('Outcomes', sections.outcomes_text),
    facts.results.length > 0 && part('Results', sections.results_text),
    part('Did not land', sections.stopped_text),
    part('Left out', sections.omissions_text),
    part('Connections', sections.connections_text),
    facts.agents.length > 0 && part('Agents', sections.agents_text),
    facts.clients.length > 0 && part('Clients', sections.clients_text),
    facts.too_many_clients &&
      'There are more clients than are counted together for so long: only calls of the sources in wrapup.yaml itself were counted.',
    link,
  ];
  const text = lines.filter((line): line is string => typeof line === 'string').join('\n');
  return { headline, text, ...sections };
}

function callsText({ calls, calls_before, connected, connected_before, found, every }: DigestFacts): string {
  const before = every === 'day' ? 'the day before' : 'the week before';
  const reached = calls > 0 ? `, ${showShare(connected, calls)} reached a person` : '';
  const earlier =
    calls_before > 0
      ? ` (${before}: ${number(calls_before)}, ${showShare(connected_before, calls_before)})`
      : ` (${before}: none)`;
  const more = found > 0 ? ` ${number(found)} came without a webhook.` : '';
  return `${count(calls, 'call')}${reached}${earlier}.${more}`;
}

function landedText(facts: DigestFacts): string {
  const { landed, deliveries, median_seconds, p95_seconds, p95_seconds_before } = facts;
  if (deliveries === 0) return 'No delivery came to an end.';
  const share = `${showShare(landed, deliveries)} landed: ${number(landed)} of ${count(deliveries, 'delivery', 'deliveries')}`;
  if (median_seconds === undefined || p95_seconds === undefined) return `${share}.`;
  const earlier = p95_seconds_before === undefined ? '' : ` (before: ${showTime(p95_seconds_before * 1000)})`;
  return `${share}, half within ${showTime(median_seconds * 1000)} of the webhook, 19 of 20 within ${showTime(p95_seconds * 1000)}${earlier}.`;
}

function countsText(counts: readonly DigestCount[], facts: DigestFacts, none: string): string {
  return counts.map((one) => `${spoken(one.name)} ${number(one.count)}${change(one, facts)}`).join(', ') || none;
}

function stoppedText(facts: DigestFacts): string {
  const { stopped, parked_now, dead_now } = facts;
  const lines = stopped.map((one) => `${number(one.count)} ${one.state}: ${one.name}${change(one, facts)}`);
  const now = `Now ${number(parked_now)} parked and ${number(dead_now)} dead in all.`;
  return lines.length === 0 ? `Nothing. ${now}` : [...lines, now].join('\n');
}

function omissionsText({ omissions }: DigestFacts): string {
  const lines = omissions.map(
    ({ field, connection, code, calls }) => `${field} on ${connection}: ${spoken(code)}, ${count(calls, 'call')}`,
  );
  return lines.join('\n') || 'No field.';
}

function connectionsText({ quota, paused }: DigestFacts): string {
  const lines = [
    ...paused.map((connection) => `${connection} is paused`),
    ...quota.map(
      ({ connection, used, limit }) =>
        `${connection} has used ${showShare(used, limit)} of ${number(limit)} requests of the day`,
    ),
  ];
  return lines.join('\n') || 'None is paused.';
}

function agentsText(agents: readonly DigestAgent[]): string {
  const lines = agents.map(({ name, calls, connected, judged }) => {
    const goal = judged.find(({ criterion }) => criterion === 'goal');
    const [weakest] = judged
      .filter((one) => one !== goal && one.of >= MIN_JUDGED && one.percent < 100)
      .sort((a, b) => a.percent - b.percent);
    const judgements = [goal, weakest].flatMap((one) => (one ? [`${one.label.toLowerCase()} ${one.percent} %`] : []));
    return [
      `${name || 'not named'}: ${count(calls, 'call')}`,
      `${showShare(connected, calls)} reached`,
      ...judgements,
    ].join(', ');
  });
  return lines.join('\n') || 'No agent had a call.';
}

function clientsText({ clients }: DigestFacts): string {
  const lines = clients.map(
    ({ client, calls, parked, dead }) =>
      `${client || 'wrapup.yaml itself'}: ${count(calls, 'call')}, ${number(parked)} parked, ${number(dead)} dead`,
  );
  return lines.join('\n') || 'No client had a call.';
}

/** How many more or fewer there were than before; nothing where they were as many, or nothing was counted then. */
function change({ count: now, before }: DigestCount, { calls_before }: DigestFacts): string {
  if (now === before || calls_before === 0) return '';
  return ` (${now > before ? '+' : '−'}${number(Math.abs(now - before))})`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function count(value: number, one: string, several = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : several}`;
}
