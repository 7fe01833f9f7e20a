/**
 * Puts many small writes into few commands. Items that come while no command is under way leave together at the end of
 * the same turn of the event loop; items that come while one is under way wait for its end, or for `max_wait_ms`, whichever
 * is sooner. So a single item does not wait, and under load each command carries the items that came during the one before
 * it: fewer commands, fewer system calls, fewer fsyncs.
 */
interface WriteBatcherOptions<Item, Answer> {
  /** Items of one command, at most. */
  max_items: number;
  /** Bytes of one command, at most, unless a single item has more. */
  max_bytes: number;
  /** Longest wait for a command under way. */
  max_wait_ms: number;
  sizeOf(item: Item): number;
  /** One command. As many answers as items and in their order; rejects when all of them failed. */
  run(items: Item[]): Promise<(Answer | Error)[]>;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class WriteBatcher<Item, Answer extends string | number | object> {
  readonly #options: WriteBatcherOptions<Item, Answer>;
  #waiting: Waiting<Item, Answer>[] = [];
  #bytes = 0;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(options: WriteBatcherOptions<Item, Answer>) {
    this.#options = options;
  }

  /** @throws Error of this item, or of the command that it went in */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const size = this.#options.sizeOf(item);
      // Never more in one command than its limit: the waiting items go first.
      if (this.#waiting.length > 0 && this.#bytes + size > this.#options.max_bytes) this.#go();
      this.#waiting.push({ item, resolve, reject });
      this.#bytes += size;
      if (this.#waiting.length >= this.#options.max_items || this.#bytes >= this.#options.max_bytes) this.#go();
      else if (this.#underWay === 0) this.#turn ??= setImmediate(() => this.#go());
      else this.#timer ??= setTimeout(() => this.#go(), this.#options.max_wait_ms);
    });
  }

  #go(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    if (this.#waiting.length === 0) return;
    const together = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#underWay += 1;
    void this.#run(together).finally(() => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#go();
    });
  }

  async #run(together: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.run(together.map(({ item }) => item));
      together.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('No answer came for this one'));
        else if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of together) reject(error as Error);
    }
  }
}
