/**
 * A program as a child that never outlives us: a shell between us and it waits on a pipe that we hold, and kills the
 * program when the pipe closes, however we end (SIGKILL too).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** $1 is the program. `wait` gives its exit code; the reader of the pipe must not keep the shell alive. */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
echo "$program"
( read -r _ <&3; kill -KILL "$program" ) 2>/dev/null &
guard=$!
wait "$program"
code=$?
kill "$guard" 2>/dev/null
exit "$code"
`;

/** What a program that could not be started said last. */
const KEPT_OUTPUT_LENGTH = 8000;

export class Child {
  private output = '';
  private readonly exited: Promise<unknown>;

  private constructor(
    private readonly guard: ChildProcess,
    /** Of the program itself, for signals. */
    readonly pid: number,
  ) {
    this.exited = guard.exitCode === null ? once(guard, 'close') : Promise.resolve();
  }

  static async start(path: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
    const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', path, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    guard.stdin.on('error', () => undefined);
    const pid = await new Promise<number>((resolve, reject) => {
      guard.once('error', reject);
      guard.stdout.once('data', (first: Buffer) => resolve(Number.parseInt(first.toString(), 10)));
    });
    const child = new Child(guard, pid);
    const keep = (text: Buffer) => {
      child.output = (child.output + text.toString()).slice(-KEPT_OUTPUT_LENGTH);
    };
    guard.stdout.on('data', keep);
    guard.stderr.on('data', keep);
    // The guard's pipes must not keep a process alive that has nothing else to do: it ends with us.
    for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr]) unref(handle);
    return child;
  }

  get isRunning(): boolean {
    return this.guard.exitCode === null && this.guard.signalCode === null;
  }

  /** Its last lines, for an error. */
  get said(): string {
    return this.output.trim();
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, name);
  }

  /** Kills it at once, as a machine would fail, and waits for its end. Idempotent. */
  async kill(): Promise<void> {
    this.guard.ref();
    this.guard.stdin?.end();
    await this.exited;
  }
}

function unref(handle: unknown): void {
  if (
    typeof handle === 'object' &&
    handle !== null &&
    'unref' in handle &&
    typeof handle.unref === 'function'
  )
    (handle.unref as () => void).call(handle);
}
