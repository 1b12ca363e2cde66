/**
 * The private folder of half-written objects, and who owns what is in it. A file's name says host and process; it is
 * swept once that process is known to be dead, so that a store opened beside a running one never takes its files.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** No key can hold a tilde, so no object is ever in here. */
export const INCOMING = '.~incoming';

/** Older than any put: what another host left behind, whose processes cannot be asked. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
/** A file system's clock may be coarse: without slack a file of ours could look older than our process. */
const CLOCK_SLACK_MS = 5_000;

const host = hostname().replaceAll(/[^a-zA-Z0-9-]/g, '_');

/** The beginning of a half-written file's name. */
export const incomingName = (): string => `${host}~${process.pid}~`;

/** Deletes the files of dead processes. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    if (written !== undefined && isAbandoned(name, written.mtimeMs)) await rm(path, { force: true });
  }
}

function isAbandoned(name: string, writtenAtMs: number): boolean {
  const nowMs = Date.now();
  if (nowMs - writtenAtMs > ABANDONED_AFTER_MS) return true;
  const [owner, pid] = name.split('~');
  if (owner !== host) return false;
  // A restarted container gives the same number to the next process: then only the file's age tells them apart.
  if (Number(pid) === process.pid) return writtenAtMs < nowMs - process.uptime() * 1000 - CLOCK_SLACK_MS;
  return !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
