/** A process as its pod would start it: with no variable but the pod's own, asked after its health, asked to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@facet/local';

const START_LIMIT_MS = 60_000;
const ASK_AGAIN_MS = 50;

export class Pod {
  said = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    child.stderr?.on('data', (text: Buffer) => (this.said += text.toString()));
  }

  static async start(main: string, environment: Readonly<Record<string, string>>): Promise<Pod> {
    const port = await freePort();
    const child = spawn(process.execPath, [main], {
      cwd: dirname(main),
      env: { ...environment, FACET_HEALTH_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return new Pod(child, port);
  }

  /** The status that a path answers with: 200 as soon as it does, else the last one when the time is up. */
  async answers(path: string): Promise<number> {
    const end = Date.now() + START_LIMIT_MS;
    for (;;) {
      const status = await fetch(`http://127.0.0.1:${this.port}${path}`).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200 || this.child.exitCode !== null || Date.now() > end) return status;
      await pause(ASK_AGAIN_MS);
    }
  }

  /** As a kubelet does it; gives exit code and signal. */
  async end(): Promise<unknown[]> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    return ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
