/** What every local server has in common: a child, a port that stays the same over restarts, throw-away data. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.js';
import { freePort, untilReady } from './ready.js';

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What differs between servers. */
export interface ServerKind {
  readonly name: string;
  /** Called before each start. `folder` is the server's own. */
  command(port: number, folder: string): Promise<Command> | Command;
  /** Throws while the server is not ready. */
  probe(port: number): Promise<void>;
}

export class LocalServer {
  private constructor(
    private readonly kind: ServerKind,
    readonly port: number,
    readonly folder: string,
    private child: Child,
  ) {}

  static async start(kind: ServerKind): Promise<LocalServer> {
    const folder = await mkdtemp(join(tmpdir(), `facet-${kind.name}-`));
    try {
      const port = await freePort();
      return new LocalServer(kind, port, folder, await run(kind, port, folder));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.child.isRunning;
  }

  /** Of the program itself. */
  get pid(): number {
    return this.child.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.child.signal(name);
  }

  /** Takes it away at once, as a crash would; its data stay. */
  kill(): Promise<void> {
    return this.child.kill();
  }

  /** Brings a killed server back on the same port, with the same data. */
  async revive(): Promise<void> {
    await this.child.kill();
    this.child = await run(this.kind, this.port, this.folder);
  }

  /** Ends it and deletes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.child.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function run(kind: ServerKind, port: number, folder: string): Promise<Child> {
  const { path, args, env } = await kind.command(port, folder);
  const child = await Child.start(path, args, env);
  await untilReady(kind.name, child, () => kind.probe(port));
  return child;
}
