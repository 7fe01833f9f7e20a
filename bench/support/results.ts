/** bench/RESULTS.md and its chart, made of the figures that each part left; a part that runs again replaces its own. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AttackFigures } from '../parts/attacks.ts';
import type { ClientsFigures } from '../parts/clients.ts';
import type { Delivered, DeliveryFigures } from '../parts/delivery.ts';
import type { DrainFigures } from '../parts/drain.ts';
import type { EarlierFigures } from '../parts/earlier.ts';
import type { IngressFigures } from '../parts/ingress.ts';
import type { LatencyFigures } from '../parts/latency.ts';
import { KEPT_DAYS, type KeptFigures, type MemoryFigures } from '../parts/memory.ts';
import type { PagesFigures } from '../parts/pages.ts';
import type { ParkedFigures } from '../parts/parked.ts';
import type { RateFigures } from '../parts/rate.ts';
import { drawChart, format, type Group } from './chart.ts';
import { clientsTables, earlierGroups, earlierTable } from './compared-tables.ts';
import { keptTables, pagesTable, parkedTables } from './kept-tables.ts';
import { busyRemark } from './machine.ts';

const BENCH = resolve(import.meta.dirname, '..');
const FIGURES = join(BENCH, 'results.json');

export interface Measured<T> {
  /** ISO 8601 date. */
  date: string;
  machine: string;
  figures: T;
}

export interface Results {
  ingress?: Measured<IngressFigures[]>;
  attacks?: Measured<AttackFigures[]>;
  delivery?: Measured<DeliveryFigures>;
  salesforce?: Measured<DeliveryFigures>;
  latency?: Measured<LatencyFigures>;
  memory?: Measured<MemoryFigures>;
  kept?: Measured<KeptFigures[]>;
  parked?: Measured<ParkedFigures>;
  pages?: Measured<PagesFigures>;
  clients?: Measured<ClientsFigures>;
  rate?: Measured<RateFigures>;
  drain?: Measured<DrainFigures>;
  earlier?: Measured<EarlierFigures>;
}

export function addResults(fresh: Results): void {
  const before: Results = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : {};
  const results = { ...before, ...fresh };
  writeFileSync(FIGURES, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(BENCH, 'results.svg'), drawChart('Wrapup beside the usual way', groupsOf(results)));
  const { earlier } = results;
  if (earlier)
    writeFileSync(join(BENCH, 'earlier.svg'), drawChart('An earlier version and now', earlierGroups(earlier.figures)));
  writeFileSync(join(BENCH, 'RESULTS.md'), render(results));
}

function groupsOf({ ingress, delivery, latency, memory, clients, drain }: Results): Group[] {
  const groups: Group[] = [];
  const at8 = ingress?.figures.find(({ kb, connections }) => kb === 8 && connections === 64);
  if (at8) {
    groups.push({
      title: 'Webhooks of 8 kB answered, one process, 64 at a time',
      unit: 'a second, more is better',
      bars: [
        { name: 'Wrapup', value: at8.of.wrapup.rps },
        { name: 'Express, the usual way', value: at8.of.express.rps },
        { name: 'bare node:http', value: at8.of.bare.rps },
      ],
    });
  }
  if (delivery) {
    groups.push({
      title: 'Calls written to HubSpot within its limits',
      unit: 'a second, more is better',
      bars: [
        { name: 'Wrapup', value: delivery.figures.of.wrapup.callsPerSecond },
        { name: 'one job per call', value: delivery.figures.of.baseline.callsPerSecond },
      ],
    });
  }
  if (latency) {
    groups.push({
      title: 'Webhook to record, idle, median',
      unit: 'ms, less is better',
      bars: [
        { name: 'Wrapup', value: latency.figures.rows[0]?.of.loopback.p50 ?? 0 },
        { name: 'one job per call', value: latency.figures.rows[0]?.of.baseline?.p50 ?? 0 },
      ],
    });
  }
  if (memory) {
    groups.push({
      title: `Redis, of a delivered call of ${format(memory.figures.body / 1000)} kB`,
      unit: 'bytes, less is better',
      bars: [
        { name: 'Wrapup', value: memory.figures.wrapup },
        { name: 'body in the job', value: memory.figures.baseline },
      ],
    });
  }
  const most = clients?.figures.idle.at(-1);
  if (most) {
    groups.push({
      title: `Connections to Redis of a worker with ${most.clients.toLocaleString('en')} clients`,
      unit: 'less is better',
      bars: [
        { name: 'Wrapup', value: most.of.wrapup.redis },
        { name: 'a worker per connection', value: most.of.baseline.redis },
      ],
    });
  }
  if (drain) {
    const bars = (value: (tenth: DrainFigures['tenths'][number]) => number) =>
      drain.figures.tenths.map((tenth, n) => ({ name: `${n + 1}. tenth of the backlog`, value: value(tenth) }));
    const title = `${drain.figures.rows[0]?.calls.toLocaleString('en')} calls that wait`;
    groups.push({
      ...{ title: `${title}: time of one`, unit: 'ms, less is better', bars: bars(({ msPerCall }) => msPerCall) },
    });
    groups.push({
      ...{ title: `${title}: worker memory`, unit: 'MiB, less is better', bars: bars(({ memory }) => memory) },
    });
  }
  return groups;
}

function render(results: Results): string {
  return `# Results

Written by \`npm run bench\` (parts by name: \`npm run bench -- ingress attacks delivery salesforce latency memory kept parked pages clients rate drain\`). Everything runs on one
machine and over loopback: load, Redis (synced on every write), Wrapup's own processes and the sandbox as the CRM. The machine
was shared with other work, so absolute figures are low and wander; what counts are the ratios, taken within one run. The
baseline is in \`bench/baseline\`: express with its body parser and \`queue.add\`, then one job per call that searches, writes and logs.

![Wrapup beside the usual way](results.svg)

What calls cost in requests to HubSpot, one by one and by the thousand: [hubspot-requests.md](hubspot-requests.md). What they cost in requests to Salesforce, with and without \`composite\`: [salesforce-requests.md](salesforce-requests.md). What finding the record costs that a call belongs to: [find-requests.md](find-requests.md).

${[
  ingressPart,
  attacksPart,
  deliveryPart,
  salesforcePart,
  hubspotPart,
  latencyPart,
  memoryPart,
  keptPart,
  parkedPart,
  pagesPart,
  clientsPart,
  ratePart,
  drainPart,
  earlierPart,
]
  .map((part) => part(results))
  .filter(Boolean)
  .join('\n')}`;
}

function head(title: string, { date, machine }: Measured<unknown>, text: string): string {
  return `## ${title}\n\n${text}\n\nMeasured on ${date}: ${machine}.${busyRemark(machine)}\n`;
}

function ingressPart({ ingress }: Results): string {
  if (!ingress) return '';
  const rows = ingress.figures.flatMap(({ kb, connections, of }) =>
    (['wrapup', 'bare', 'express'] as const).map((name) => {
      const { rps, p50, p99, cpu, redisCpu } = of[name];
      return `| ${kb} | ${connections} | ${{ wrapup: 'Wrapup', bare: 'bare node:http', express: 'Express, the usual way' }[name]} | ${format(rps)} | ${format(p50)} | ${format(p99)} | ${format(cpu)} | ${format(redisCpu)} |`;
    }),
  );
  const ratios = ingress.figures.map(
    ({ kb, connections, toBare, toExpress, cpuToBare, cpuToExpress }) =>
      `| ${kb} | ${connections} | ${format(toBare)} | ${format(toExpress)} | ${format(cpuToBare)} | ${format(cpuToExpress)} |`,
  );
  return `${head(
    'Ingress',
    ingress,
    `One process, connections that each wait for their answer before they send the next, ${ingress.figures[0]?.rounds} interleaved rounds, medians. *Bare* is node:http with the same verification and the same durable writes, and nothing else. *Bare* keeps calls by Wrapup's own package, which puts what comes together into one command. Times are those of a saturated server; CPU is of the server's process and of Redis, µs for each request, and wanders least.`,
  )}
| kB | Connections | Server | Requests/s | p50 ms | p99 ms | CPU µs | Redis CPU µs |
| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

Wrapup's part of the others' requests a second, median of the ratios within each round, and the same by CPU:

| kB | Connections | of bare (target 0.6) | of Express (target 1.25) | of bare, by CPU | of Express, by CPU |
| ---: | ---: | ---: | ---: | ---: | ---: |
${ratios.join('\n')}
`;
}

function attacksPart({ attacks }: Results): string {
  if (!attacks) return '';
  const rows = attacks.figures.map(({ attack, bytes, memory, redis, answers, freeze, taken, sent, worst }) => {
    const answered = Object.entries(answers).map(([answer, count]) => `${count} × ${answer}`);
    return `| ${attack} | ${format(bytes / 1000)} | ${format(memory)} | ${format(redis)} | ${format(freeze)} | ${taken} of ${sent} | ${format(worst)} | ${answered.join(', ')} |`;
  });
  return `${head(
    'Attacks on ingress',
    attacks,
    'Each attack meets a process of its own with the heap that it has in the 512 MB of docker-compose.yml. Beside the attacker an honest source asks `/healthz` and sends valid signed webhooks of 8 kB, one after the other. *nothing* is the same without an attack. What holds: memory under 400 MB, no second without `/healthz`, every valid webhook taken within two seconds.',
  )}
| Attack | kB sent | Memory at most, MB | Redis grew by, MB | \`/healthz\` at most, ms | Valid webhooks taken | at most, ms | Answers to the attacker |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}
`;
}

function deliveryPart({ delivery }: Results): string {
  if (!delivery) return '';
  const rows = rowsOf(delivery.figures, ({ refused }) => String(refused));
  return `${head(
    'Calls a second under HubSpot’s limits',
    delivery,
    'From webhook to the last record, 190 requests in 10 s and 5 searches in 1 s, 40 ms for each answer. Half of the callers are known to the CRM, no person calls twice, every call leaves a task.',
  )}
| | Calls | Seconds | Calls/s | Requests a call | Answered 429 |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

Wrapup to the baseline: **${format(delivery.figures.ratio)} times** (target 40).
`;
}

function rowsOf({ of }: DeliveryFigures, last: (delivered: Delivered) => string): string[] {
  return (['wrapup', 'baseline'] as const).map((name) => {
    const { calls, seconds, callsPerSecond, requestsPerCall } = of[name];
    return `| ${name === 'wrapup' ? 'Wrapup' : 'one job per call'} | ${calls} | ${format(seconds)} | ${format(callsPerSecond)} | ${requestsPerCall.toFixed(3)} | ${last(of[name])} |`;
  });
}

/** Requests of a day that an org of Enterprise Edition with ten users has. */
const DAILY = 110_000;

function salesforcePart({ salesforce }: Results): string {
  if (!salesforce) return '';
  const { of, ratio } = salesforce.figures;
  const rows = rowsOf(salesforce.figures, ({ requestsPerCall }) =>
    Math.floor(DAILY / requestsPerCall).toLocaleString('en'),
  );
  return `${head(
    'Calls to Salesforce',
    salesforce,
    `From webhook to the last record, 40 ms for each answer. Salesforce counts requests by the day, not by the second: an org of Enterprise Edition with ten users has ${DAILY.toLocaleString('en')} of them, which all its integrations share. Half of the callers are known to the CRM, no person calls twice, every call leaves a task. The baseline works on twenty calls at a time.`,
  )}
| | Calls | Seconds | Calls/s | Requests a call | Calls in a day’s requests |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

Wrapup to the baseline: **${format(ratio)} times** the calls a second, **${format(of.baseline.requestsPerCall / of.wrapup.requestsPerCall)} times** the calls a day.
`;
}

/** Written by `npm run bench:hubspot`: it takes minutes and has no baseline. */
function hubspotPart(): string {
  const page = join(BENCH, 'hubspot-requests.md');
  return existsSync(page) ? readFileSync(page, 'utf8') : '';
}

function latencyPart({ latency }: Results): string {
  if (!latency) return '';
  const { calls, rows, rush } = latency.figures;
  const [near, far] = [latency.figures.redis.loopback, latency.figures.redis.away].map(format);
  const lines = rows.map(({ what, of: { loopback, away, baseline } }) =>
    [what, loopback.p50, loopback.p99, away.p50, away.p99, baseline?.p50]
      .map((cell) => (typeof cell === 'number' ? format(cell) : (cell ?? '')))
      .join(' | '),
  );
  return `${head(
    'From webhook to record',
    latency,
    `${calls} calls of each kind, one at a time and nothing else to do; from the webhook to the last record, by the clock of the CRM, which takes 40 ms for each answer. Redis is on loopback (${near} ms a round trip), and then away (${far} ms). A caller is remembered for a quarter of an hour after a call. The baseline has its Redis on loopback.`,
  )}
| | p50 ms | p99 ms | away, p50 | away, p99 | one job per call, p50 |
| --- | ---: | ---: | ---: | ---: | ---: |
${lines.map((line) => `| ${line} |`).join('\n')}

${rush.calls} new callers at once, each with a task, until the last record: ${format(rush.loopback)} s, with Redis away ${format(rush.away)} s.
`;
}

function ratePart({ rate }: Results): string {
  if (!rate) return '';
  const rows = rate.figures.rows.map(({ perDay, calls, p50, p99, p999, worst, requestsPerCall, cpu, memory }) =>
    [
      perDay.toLocaleString('en'),
      ...[calls, p50, p99, p999, worst, requestsPerCall, cpu.ingress, cpu.worker, cpu.redis, memory].map(format),
    ].join(' | '),
  );
  return `${head(
    'By calls a day',
    rate,
    `Calls at independent moments for ${rate.figures.seconds} s, at the pace of so many a day; at least ten. Half of the callers are in the CRM, every call leaves a task; HubSpot with the limits of a Professional account, 40 ms for each answer. CPU as a share of one core.`,
  )}
| calls a day | calls | p50 ms | p99 ms | p99.9 ms | worst ms | requests a call | ingress, % | worker, % | Redis, % | worker, MiB |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map((row) => `| ${row} |`).join('\n')}
`;
}

function memoryPart({ memory }: Results): string {
  if (!memory) return '';
  const { calls, body, wrapup, baseline, allowed } = memory.figures;
  return `${head(
    'Redis, bytes of a call',
    memory,
    `${calls} delivered calls with bodies of ${format(body)} bytes; transcripts of a large invented vocabulary, no sentence twice. The growth of Redis's data set, everything counted that stays: payload, ledger, sets, finished jobs. The baseline keeps its last 1,000 finished jobs.`,
  )}
| | Bytes a call |
| --- | ---: |
| Wrapup | ${format(wrapup)} |
| body in the job | ${format(baseline)} |
| target: half of the body and 4 kB | ${format(allowed)} |
`;
}

function keptPart({ kept }: Results): string {
  if (!kept) return '';
  const { delivered, unpacked, ledger } = KEPT_DAYS;
  return `${head(
    'Redis, what is kept of a call by its age',
    kept,
    `Delivered calls, each of another person, three records each, encrypted, with the source's own dictionary. All of Redis's memory: kind by kind is removed, payloads as if they had expired, and entries are packed by the sweep's own function. A million calls a day with the default retention: payloads ${delivered} days; entries ${unpacked} days in a hash of their own, then packed until the ledger's ${ledger} have passed.`,
  )}
${keptTables(kept.figures)}`;
}

function parkedPart({ parked }: Results): string {
  if (!parked) return '';
  const { items, partitions } = parked.figures;
  const number = items.toLocaleString('en');
  return `${head(
    `${items === 1_000_000 ? 'A million' : number} parked deliveries`,
    parked,
    `${number} deliveries wait for a person, in ${partitions} kinds (source, route, connection, code): the first try, then the median and the worst of twenty, by the store itself and over HTTP. Target: a first page under 300 ms.`,
  )}
${parkedTables(parked.figures)}`;
}

function pagesPart({ pages }: Results): string {
  if (!pages) return '';
  return `${head(
    'Pages of the dashboard',
    pages,
    `${pages.figures.calls.toLocaleString('en')} calls of 90 days in the ledger, packed as the sweep packs them, one in a hundred parked. Time of an answer over loopback: the first one, then the median and the worst of twenty. Bytes as they come over the wire: of the page, and with the styles, scripts and pictures that a browser without a cache loads with it. Target of the first view: 300 ms and 100 kB.`,
  )}
${pagesTable(pages.figures.pages)}`;
}

function clientsPart({ clients }: Results): string {
  if (!clients) return '';
  return `${head(
    'Many clients',
    clients,
    'One worker, so many clients with a file and a connection each, and nothing to do; then lone calls, each of another client, from webhook to endpoint. The baseline has one BullMQ worker for each connection, from its start on; a call is to it one job that posts, and its time is that from `add` to endpoint, without signature, ledger or routes. Both run with `--max-semi-space-size=16`, as the worker in docker-compose.yml.',
  )}
${clientsTables(clients.figures)}`;
}

function drainPart({ drain }: Results): string {
  if (!drain) return '';
  const { rows, tenths } = drain.figures;
  const calls = rows.map(
    ({ to, calls, msPerCall, worker, redis, commands }) =>
      `| ${to === 'endpoint' ? 'an HTTP endpoint' : 'HubSpot'} | ${calls.toLocaleString('en')} | ${msPerCall.toFixed(2)} | ${worker.toFixed(2)} | ${redis.toFixed(2)} | ${format(commands)} |`,
  );
  const stretches = tenths.map(
    ({ msPerCall, worker, redis, memory }, n) =>
      `| ${n + 1} | ${msPerCall.toFixed(2)} | ${worker.toFixed(2)} | ${redis.toFixed(2)} | ${format(memory)} |`,
  );
  return `${head(
    'A long backlog',
    drain,
    'So many calls wait, then one worker with `--max-semi-space-size=16` starts and delivers them to an HTTP endpoint and to HubSpot, which answer at once. CPU is of the worker’s process, all threads, and of Redis, from the second tenth of the calls on. HubSpot’s limits keep its calls waiting, and the callers are new to it.',
  )}
| To | Calls | ms a call | Worker’s CPU, ms a call (target 0.70) | Redis’ CPU, ms a call (target 0.36) | Commands to Redis a call |
| --- | ---: | ---: | ---: | ---: | ---: |
${calls.join('\n')}

The calls to the endpoint, a tenth each:

| Tenth | ms a call | Worker’s CPU, ms | Redis’ CPU, ms | Worker memory at most, MiB |
| ---: | ---: | ---: | ---: | ---: |
${stretches.join('\n')}
`;
}

function earlierPart({ earlier }: Results): string {
  if (!earlier) return '';
  return `${head(
    'Beside an earlier version',
    earlier,
    `Medians of both versions, figure after figure in one run: their own processes, the same load, Redis and sandbox. Times go from the webhook to the last record, 40 ms for each answer of HubSpot; the drain is of a backlog that goes to an HTTP endpoint which answers at once. \`npm run bench -- earlier --checkout <folder>\` repeats it with any version.`,
  )}
![An earlier version and now](earlier.svg)

${earlierTable(earlier.figures)}`;
}
