/**
 * Shows how far each step is: a bar with rate and time left on a terminal, plain lines elsewhere. One step after the
 * other on the screen, as they happen; several may be under way.
 */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';

export interface StepProgress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly note?: string;
}

export interface ProgressView {
  report(progress: StepProgress): void;
  /** A line of its own, beside the bars. */
  say(text: string): void;
  close(): void;
}

/** Between two plain lines of one step. */
const LINE_INTERVAL_MS = 5_000;

class Rate {
  readonly #start: number;
  readonly #from: number;

  constructor(
    private readonly now: () => number,
    from: number,
  ) {
    this.#start = now();
    this.#from = from;
  }

  /** Units per second since the step was first seen, so that what was found finished does not count. */
  of(done: number): number {
    const seconds = (this.now() - this.#start) / 1000;
    return seconds > 0 ? (done - this.#from) / seconds : 0;
  }

  timeLeft(done: number, total: number): string {
    const rate = this.of(done);
    if (rate <= 0) return '';
    return `${Math.ceil((total - done) / rate)} s left`;
  }
}

const rateText = (rate: number, unit: string): string =>
  rate > 0 ? `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} ${unit}/s` : '';

class Lines implements ProgressView {
  readonly #steps = new Map<string, { rate: Rate; last: number; finished: boolean }>();

  constructor(
    private readonly write: (text: string) => void,
    private readonly now: () => number,
  ) {}

  report({ step, done, total, unit, note = '' }: StepProgress): void {
    const known = this.#steps.get(step);
    const state = known ?? { rate: new Rate(this.now, done), last: -Infinity, finished: false };
    this.#steps.set(step, state);
    if (state.finished) return;
    state.finished = done >= total;
    if (!state.finished && this.now() - state.last < LINE_INTERVAL_MS) return;
    state.last = this.now();
    const parts = [
      rateText(state.rate.of(done), unit),
      state.finished ? '' : state.rate.timeLeft(done, total),
      note,
    ];
    const more = parts.filter((part) => part !== '').join(', ');
    this.write(`${step}: ${done}/${total} ${unit}${more === '' ? '' : ` (${more})`}\n`);
  }

  say(text: string): void {
    this.write(`${text}\n`);
  }

  close(): void {
    this.#steps.clear();
  }
}

class Bars implements ProgressView {
  readonly #bars = new MultiBar(
    {
      format: '{step} {bar} {percentage}%  {value}/{total} {unit}  {rate}  {left}  {note}',
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      forceRedraw: true,
    },
    Presets.shades_classic,
  );
  readonly #steps = new Map<string, { bar: SingleBar; rate: Rate }>();

  constructor(private readonly now: () => number) {}

  report({ step, done, total, unit, note = '' }: StepProgress): void {
    let state = this.#steps.get(step);
    if (state === undefined) {
      const bar = this.#bars.create(total, done, { step: step.padEnd(12), unit, rate: '', left: '', note });
      state = { bar, rate: new Rate(this.now, done) };
      this.#steps.set(step, state);
    }
    const { bar, rate } = state;
    bar.setTotal(total);
    const left = done >= total ? '' : rate.timeLeft(done, total);
    bar.update(done, { rate: rateText(rate.of(done), unit), left, note });
  }

  say(text: string): void {
    this.#bars.log(`${text}\n`);
  }

  close(): void {
    this.#bars.stop();
  }
}

export const progressView = (stream: NodeJS.WriteStream, now: () => number = Date.now): ProgressView =>
  stream.isTTY ? new Bars(now) : new Lines((text) => stream.write(text), now);
