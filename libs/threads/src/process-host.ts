/**
 * A process of its own, for work that may crash, hang or swell: it has nothing of ours but the task that it is sent.
 * Its working directory is a new empty folder, its environment what the pool names, its standard output nobody reads.
 * What it takes of memory, native memory too, is watched from a thread inside it (memory-watch.ts).
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host, HostEvents } from './host.js';
import { type FromWorker, TOO_MUCH_MEMORY } from './protocol.js';

export interface ProcessOptions {
  readonly url: URL;
  /** Resident memory of the whole process, in bytes, beyond which it is killed. */
  readonly memoryBytes: number;
  /** All that it sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Of what it wrote to standard error, the end is kept for the reason of its death. */
const KEPT_TEXT = 2000;
const TOLD_TEXT = 300;

const lastWords = (text: string): string => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').slice(-TOLD_TEXT);
};

function reasonOf(code: number | null, signal: string | null, text: string): string {
  const words = lastWords(text);
  if (words.startsWith(TOO_MUCH_MEMORY)) return words;
  const how = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
  return words === '' ? how : `${how}: ${words}`;
}

export function startProcess({ url, memoryBytes, environment }: ProcessOptions, events: HostEvents): Host {
  const folder = mkdtempSync(join(tmpdir(), 'facet-task-'));
  const child = fork(fileURLToPath(url), [memoryBytes, process.pid].map(String), {
    cwd: folder,
    env: environment as NodeJS.ProcessEnv,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let text = '';
  let told: string | undefined;
  let failure: unknown;
  const stderr = child.stderr as NonNullable<typeof child.stderr> & { ref(): void; unref(): void };
  stderr.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-KEPT_TEXT);
  });
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // Where nobody closes the pool.
  process.once('exit', removeFolder);
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', removeFolder);
      removeFolder();
      resolve();
      events.ended(told ?? reasonOf(code, signal, text), failure);
    });
  });
  // It could not be started, or not be killed, or no longer be written to; in the end it closes.
  child.on('error', (error) => {
    failure ??= error;
    told ??= error.message;
    child.kill('SIGKILL');
  });
  child.on('message', (message) => events.received(message as FromWorker));
  return {
    post: (message) => void child.send(message),
    ref() {
      child.ref();
      child.channel?.ref();
      stderr.ref();
    },
    unref() {
      child.unref();
      child.channel?.unref();
      stderr.unref();
    },
    end(reason) {
      told ??= reason;
      // Its folder is removed when it has closed.
      child.ref();
      child.kill('SIGKILL');
      return closed;
    },
  };
}
