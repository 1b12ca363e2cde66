/**
 * A discrete-event simulation: what happens at which moment, in order of time and then of its asking. No wall clock and no
 * randomness of its own, so one seed gives one result.
 */
export class Clock {
  /** Seconds since the beginning. */
  now = 0;
  private asked = 0;
  /** A binary heap by time, then by the order of asking. */
  private readonly heap: { readonly at: number; readonly order: number; readonly work: () => void }[] = [];

  after(seconds: number, work: () => void): void {
    const entry = { at: this.now + seconds, order: this.asked++, work };
    const { heap } = this;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.before(entry, heap[parent])) break;
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = entry;
  }

  /** Until nothing is left to happen. */
  run(): void {
    for (let next = this.take(); next !== undefined; next = this.take()) {
      this.now = next.at;
      next.work();
    }
  }

  private before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private take() {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.before(heap[child + 1], heap[child])) child++;
      if (!this.before(heap[child], last)) break;
      heap[place] = heap[child];
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

/** So many servers before one queue: who comes first is served first. */
export class Station {
  private readonly waiting: (readonly [seconds: number, done: () => void])[] = [];
  private head = 0;
  private busy = 0;
  /** Seconds of service, of all servers together. */
  busySeconds = 0;

  constructor(
    private readonly clock: Clock,
    private servers: number,
  ) {}

  /** One more server. */
  add(): void {
    this.servers++;
    this.serve();
  }

  ask(seconds: number, done: () => void): void {
    this.waiting.push([seconds, done]);
    this.serve();
  }

  private serve(): void {
    while (this.busy < this.servers && this.head < this.waiting.length) {
      const [seconds, done] = this.waiting[this.head++];
      this.busy++;
      this.busySeconds += seconds;
      this.clock.after(seconds, () => {
        this.busy--;
        done();
        this.serve();
      });
    }
  }
}
