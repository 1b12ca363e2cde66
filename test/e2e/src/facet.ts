/** Runs the built command as a user does: in a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../services/cli/dist/main.js', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end; `killWhen` sends SIGKILL (or `signal`) as soon as the progress on stderr matches. */
export function facet(
  args: readonly string[],
  {
    killWhen,
    signal = 'SIGKILL',
    env = process.env,
  }: { killWhen?: RegExp; signal?: NodeJS.Signals; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
      // Once: a second interrupt is another command, which ends a process that drains.
      if (!child.killed && killWhen?.test(stderr)) child.kill(signal);
    });
    child.on('error', reject);
    child.on('close', (code, ended) => {
      resolve({ code, signal: ended, stdout, stderr });
    });
  });
}

/** A folder that goes away with the test. */
export async function scratch(): Promise<{
  path: (...parts: string[]) => string;
  remove: () => Promise<void>;
}> {
  const root = await mkdtemp(join(tmpdir(), 'facet-e2e-'));
  return {
    path: (...parts) => join(root, ...parts),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
