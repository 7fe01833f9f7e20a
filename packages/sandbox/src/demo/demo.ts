/**
 * A demo: calls are placed at a rate, ring, go on and end, and their webhooks are sent or lost.
 *
 *   placed ──► ringing ──► in-progress (when a person or a machine answers) ──► over ──► webhook sent, or lost
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Workspace } from '../synthflow/workspace.ts';
import { askInbound } from './ask-inbound.ts';
import { fireWebhook, loseWebhook, type WebhookAddress } from './fire.ts';
import { endCall, makeCall } from './make-call.ts';
import { type Chance, makeChance } from './random.ts';
import type { CheckedSpec } from './spec.ts';

export interface DemoStatus {
  /** Calls asked for. */
  calls: number;
  placed: number;
  over: number;
  /** How calls went, by kind. */
  went: Record<string, number>;
  webhooks: {
    sent: number;
    lost: number;
    /** Answers by status; `0` for none. */
    answers: Record<string, number>;
  };
  /** Inbound calls by what was answered before they connected: `kept`, `variables`, `rerouted`, `hung_up`, `no_answer`. */
  inbound: Record<string, number>;
  running: boolean;
  /** Milliseconds since it began, or that it took. */
  ms: number;
}

export class Demo {
  readonly #spec: CheckedSpec;
  readonly #workspace: Workspace;
  readonly #header: () => string;
  readonly #chance: Chance;
  readonly #lost: ReadonlySet<number>;
  readonly #stop = new AbortController();
  readonly #began = Date.now();
  readonly #status: DemoStatus;
  /** Settles when every call is over and every webhook answered. */
  readonly done: Promise<void>;

  /** @param header how the signature's header is spelt */
  constructor(spec: CheckedSpec, workspace: Workspace, header: () => string) {
    this.#spec = spec;
    this.#workspace = workspace;
    this.#header = header;
    this.#chance = makeChance(spec.seed);
    this.#lost = chooseLost(this.#chance, spec.calls, spec.lose);
    this.#status = {
      calls: spec.calls,
      placed: 0,
      over: 0,
      went: {},
      webhooks: { sent: 0, lost: 0, answers: {} },
      inbound: {},
      running: true,
      ms: 0,
    };
    if (spec.webhook !== undefined) {
      for (const agent of workspace.agents.values()) agent.external_webhook_url = spec.webhook;
    }
    this.done = this.#run()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) throw error;
      })
      .finally(() => {
        this.#status.running = false;
        this.#status.ms = Date.now() - this.#began;
      });
    if (spec.inbound !== undefined) {
      for (const agent of workspace.agents.values()) agent.inbound_call_webhook_url = spec.inbound;
    }
    // Those who wait for it see it; an unawaited one is no unhandled rejection.
    this.done.catch(() => {});
  }

  get status(): DemoStatus {
    const ms = this.#status.running ? Date.now() - this.#began : this.#status.ms;
    return structuredClone({ ...this.#status, ms });
  }

  /** Calls that ring or go on stay as they are. */
  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { calls, rate, past } = this.#spec;
    if (past !== undefined) {
      for (let index = 0; index < calls; index++) this.#placePast(index, past);
      return;
    }
    const under_way: Promise<void>[] = [];
    for (let index = 0; index < calls; index++) {
      const due = this.#began + (index * 1000) / rate;
      if (due > Date.now()) await pause(due - Date.now(), undefined, { signal: this.#stop.signal });
      this.#stop.signal.throwIfAborted();
      const one = this.#hold(index);
      one.catch(() => {});
      under_way.push(one);
    }
    await Promise.all(under_way);
  }

  #placePast(index: number, past: number): void {
    const { calls, first } = this.#spec;
    const ends = this.#began - Math.round((past * (index + 1)) / calls);
    const { call, story } = makeCall(this.#chance, first + index, [...this.#workspace.agents.values()], ends);
    endCall(call, story, ends);
    this.#workspace.place(call);
    this.#status.placed += 1;
    this.#end(story.kind);
  }

  async #hold(index: number): Promise<void> {
    const { pace, first } = this.#spec;
    const chance = this.#chance;
    const rings = pace === 0 ? 0 : chance.whole(Math.ceil(pace / 4), Math.ceil(pace / 2));
    const talks = pace === 0 ? 0 : chance.whole(0, Math.floor(pace / 2));
    const ends = Date.now() + rings + talks;
    const { call, story } = makeCall(chance, first + index, [...this.#workspace.agents.values()], ends);
    const { inbound } = this.#spec;
    if (inbound !== undefined && call.agent.type === 'inbound') {
      const answer = await askInbound(this.#workspace, call, inbound, this.#stop.signal);
      this.#status.inbound[answer] = (this.#status.inbound[answer] ?? 0) + 1;
      if (answer === 'hung_up') return this.#end(answer);
    }
    this.#workspace.place(call);
    this.#status.placed += 1;
    if (rings > 0) await pause(rings, undefined, { signal: this.#stop.signal });
    if (call.duration > 0) {
      call.status = 'in-progress';
      if (talks > 0) await pause(talks, undefined, { signal: this.#stop.signal });
    }
    endCall(call, story, Date.now());
    this.#end(story.kind);
    const { webhook, secret } = this.#spec;
    if (webhook === undefined) return;
    const target: WebhookAddress = { webhook, secret, header: this.#header() };
    const { webhooks } = this.#status;
    if (this.#lost.has(index)) {
      loseWebhook(this.#workspace, call, target);
      webhooks.lost += 1;
      return;
    }
    webhooks.sent += 1;
    const status = (await fireWebhook(this.#workspace, call, target, this.#stop.signal)) ?? 0;
    webhooks.answers[status] = (webhooks.answers[status] ?? 0) + 1;
  }

  #end(kind: string): void {
    this.#status.over += 1;
    this.#status.went[kind] = (this.#status.went[kind] ?? 0) + 1;
  }
}

function chooseLost(chance: Chance, calls: number, lose: number): Set<number> {
  const wanted = Math.round(calls * lose);
  const lost = new Set<number>();
  // Each call is lost with the chance that makes the number exact: https://en.wikipedia.org/wiki/Reservoir_sampling
  for (let index = 0; index < calls; index++) {
    if (chance.next() * (calls - index) < wanted - lost.size) lost.add(index);
  }
  return lost;
}
