/** What happens from outside: senders, reconciliation, operators, sweeps, deployments, and how the CRM is. */
import type { Config } from '@wrapup/config';
import { sweep } from '../../../apps/worker/src/upkeep/sweep.ts';
import { type Intake, revisionOf, type Store } from '../../../packages/queue/src/index.ts';
import { LogicalProcess, type World } from '../world/world.ts';
import { CONNECTION, openLogicalStore, ROUTE } from './actors.ts';
import type { Promised } from './invariants.ts';
import { describeEvent, type Event, type Workload } from './workload.ts';

/** As much of the stage as events need. */
interface Host {
  readonly world: Pick<World, 'note' | 'random' | 'end'>;
  readonly workload: Workload;
  readonly promised: Promised;
  /** Those that are to happen still, the next one first. */
  readonly events: Event[];
  /** The configuration that the files say, one after the other. */
  readonly configs: readonly Config[];
  crmIs: 'well' | 'down' | 'refusing';
  files: Config;
  /** An ingress that runs; undefined while it does not. */
  ingress(n: number): { process: LogicalProcess; intake: Intake } | undefined;
  /** Has a process do something; its end is noted. */
  work(process: LogicalProcess, what: string, work: () => Promise<string>): void;
}

const SOURCE = 'main';
const LEDGER_DAYS = 90;
const ATTEMPTS = 10;
/** Clocks are apart by so much at most, ms. */
export const MAX_SKEW_MS = 3_000;
/** What an operator may replay. */
const FROM = ['parked', 'dead', 'written', 'skipped'] as const;

interface Sender {
  process: LogicalProcess;
  again(): void;
}

export class EventRunner {
  readonly #host: Host;
  /** Those who have no answer yet, or had one. */
  readonly #senders = new Set<Sender>();
  /** Commands of operators that are under way. */
  readonly #operators = new Set<{ isAlone: boolean }>();

  constructor(host: Host) {
    this.#host = host;
  }

  begin(event: Event): void {
    this.#host.events.splice(this.#host.events.indexOf(event), 1);
    this.#host.world.note({ what: describeEvent(event) });
    if (event.do === 'send') this.#send(event);
    else if (event.do === 'crm') this.#host.crmIs = event.is;
    else if (event.do === 'deploy') this.#host.files = this.#host.configs[1] as Config;
    else if (event.do === 'sweep') this.sweep();
    else if (event.do === 'reconcile') this.#reconcile(event.call);
    else if (event.do === 'replay' || event.do === 'drop') this.#decide(event.do, event.call);
    else this.operate(event.do);
  }

  #send(event: Event & { do: 'send' }): void {
    const { events, workload } = this.#host;
    const again = () => {
      if (event.tries > 0) events.push({ ...event, ingress: 1 - event.ingress, tries: event.tries - 1 });
    };
    const call = workload.calls[event.call];
    const body = call?.bodies[event.body];
    const running = this.#host.ingress(event.ingress);
    if (!call || !body || !running) {
      again();
      return;
    }
    const { process, intake } = running;
    // The sender learns nothing from an ingress that crashes, and sends again.
    const sender = { process, again };
    this.#senders.add(sender);
    this.#host.work(process, `call ${event.call}`, async () => {
      const arrival = { source: SOURCE, call_id: call.id, body, received: 'webhook', verified: 'signature' } as const;
      try {
        const accepted = await intake.accept({ ...arrival, received_at: Date.now(), terminal: true });
        if (accepted !== 'ignored') this.#acknowledge(call.id, body);
        return accepted;
      } catch (error) {
        again();
        throw error;
      } finally {
        this.#senders.delete(sender);
      }
    });
  }

  /** Senders whose ingress has crashed send again. */
  sendAgain(): void {
    for (const sender of this.#senders) {
      if (!sender.process.isGone) continue;
      this.#senders.delete(sender);
      sender.again();
    }
  }

  #acknowledge(id: string, body: Buffer): void {
    const { acknowledged } = this.#host.promised;
    acknowledged.set(id, (acknowledged.get(id) ?? new Set()).add(revisionOf(body)));
  }

  #reconcile(n: number): void {
    const call = this.#host.workload.calls[n];
    const body = call?.bodies[0];
    if (!call || !body) return;
    this.#once('reconciler', 'worker', async ({ accept }) => {
      const arrival = { source: SOURCE, call_id: call.id, body, received: 'reconciled', verified: 'api' } as const;
      const accepted = await accept({ ...arrival, received_at: Date.now(), terminal: true }, LEDGER_DAYS);
      this.#acknowledge(call.id, body);
      return accepted;
    });
  }

  sweep(): void {
    this.#once('sweeper', 'worker', async (store) => {
      const { dead, revived } = await sweep(store, this.#host.files);
      return `the sweep ends: ${dead} dead, ${revived} revived`;
    });
  }

  /** An operator pauses or resumes the connection. */
  operate(what: 'pause' | 'resume'): void {
    const { promised } = this.#host;
    promised.operatorPause = 'open';
    // What two of them want at once is not known.
    for (const other of this.#operators) other.isAlone = false;
    const command = { isAlone: this.#operators.size === 0 };
    this.#operators.add(command);
    const process = this.#once('operator', 'producer', async ({ connections }) => {
      await (what === 'pause'
        ? connections.pause(CONNECTION, 'a look at it', { name: 'ada' })
        : connections.resume(CONNECTION));
      this.#operators.delete(command);
      if (command.isAlone) promised.operatorPause = what === 'pause' ? 'on' : 'off';
      return `has the connection ${what}d`;
    });
    process.onGone = () => this.#operators.delete(command);
  }

  #decide(what: 'replay' | 'drop', n: number): void {
    const call = this.#host.workload.calls[n];
    if (!call) return;
    const config = this.#host.files.hash;
    this.#once('operator', 'producer', async ({ operations, ledger }) => {
      const isStopped = (await ledger.read(SOURCE, call.id))?.stopped !== undefined;
      const why = { reason: 'not needed', by: { name: 'ada' } };
      const options = { attempts: ATTEMPTS, from: FROM, config };
      if (what === 'replay' && isStopped) return `replays: ${await operations.replayCall(SOURCE, call.id, { config })}`;
      if (what === 'replay') return `replays: ${await operations.replay(SOURCE, call.id, ROUTE, options)}`;
      if (isStopped) return `drops: ${await operations.dropCall(SOURCE, call.id, why)}`;
      return `drops: ${(await operations.drop(SOURCE, call.id, ROUTE, why))?.state ?? 'moved'}`;
    });
  }

  /** A process that does one thing and ends. */
  #once(name: string, role: 'worker' | 'producer', work: (store: Store) => Promise<string>): LogicalProcess {
    const skew = Math.round((this.#host.world.random() * 2 - 1) * MAX_SKEW_MS);
    const process = new LogicalProcess(name, skew);
    this.#host.work(process, '', async () => {
      const said = await work(openLogicalStore(role));
      this.#host.world.end(process);
      return said;
    });
    return process;
  }
}
