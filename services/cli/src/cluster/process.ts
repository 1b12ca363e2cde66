/** A service as a process of a local cluster, started again when it ends by itself, a little later each time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** Who ran this long was well: the next end is no part of a series. */
const WELL_AFTER_MS = 30_000;

export interface ServiceProcessOptions {
  /** Path of its `main.js`. */
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets its log, line by line. */
  readonly onLine: (line: string) => void;
}

export class ServiceProcess {
  private child: ChildProcess | undefined;
  private stopping = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ServiceProcessOptions) {
    this.start();
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** As a machine would fail; it is started again. False where it was not running. */
  kill(): boolean {
    return this.child?.kill('SIGKILL') ?? false;
  }

  /** Lets it drain, up to a limit, and does not start it again. */
  async stop(limitMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const { child } = this;
    if (child === undefined) return;
    const ended = once(child, 'close');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }

  private start(): void {
    const { main, env, onLine } = this.options;
    const startedAt = Date.now();
    // The pipe that stays open tells the process that we are there; see `guard`.
    const child = spawn(process.execPath, ['--import', GUARD, main], {
      env: { ...process.env, ...env, FACET_ENDS_WITH_STDIN: '1' },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.child = child;
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    });
    child.stdin.on('error', () => undefined);
    child.once('close', () => {
      this.child = undefined;
      if (this.stopping) return;
      this.failures = Date.now() - startedAt > WELL_AFTER_MS ? 0 : this.failures + 1;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.failures - 3));
      this.timer = setTimeout(() => this.start(), pauseMs);
    });
  }
}

/**
 * Ends the process when its standard input does: then whoever started it is gone. Threads and processes that it starts
 * run the same line, and find the variable gone.
 */
const GUARD = `data:text/javascript,${encodeURIComponent(`
if (process.env.FACET_ENDS_WITH_STDIN) {
  delete process.env.FACET_ENDS_WITH_STDIN;
  process.stdin.on('close', () => process.exit(1)).resume();
  process.stdin.unref?.();
}`)}`;
