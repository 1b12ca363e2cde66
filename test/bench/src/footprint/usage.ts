/** What a process and all that it started use, as Linux counts it in /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** Resident memory of all of them together; pages that they share count for each. */
  readonly bytes: number;
  /** Since they began; of those that have ended too, once their parent has waited for them. */
  readonly cpuMs: number;
}

/** USER_HZ: 100 on every architecture that Node runs on. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;
/** Places in /proc/PID/stat behind the name, which may hold spaces: utime, stime, cutime, cstime; rss in pages. */
const TIMES = [11, 12, 13, 14];
const RSS = 21;

/** Nothing of a process that is gone. */
export function usageOf(pid: number): Usage {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = {
      bytes: Number(fields[RSS]) * PAGE_BYTES,
      cpuMs: TIMES.reduce((sum, place) => sum + Number(fields[place]), 0) * TICK_MS,
    };
    return childrenOf(pid)
      .map(usageOf)
      .reduce((sum, child) => ({ bytes: sum.bytes + child.bytes, cpuMs: sum.cpuMs + child.cpuMs }), own);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return { bytes: 0, cpuMs: 0 };
    throw error;
  }
}

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );

/** The most of several looks at it. */
export class Watched {
  private peakBytes = 0;
  private peakCores = 0;
  private last: { readonly at: number; readonly cpuMs: number } | undefined;

  constructor(private readonly pid: () => number | undefined) {}

  look(): void {
    const pid = this.pid();
    if (pid === undefined) return;
    const { bytes, cpuMs } = usageOf(pid);
    const at = performance.now();
    this.peakBytes = Math.max(this.peakBytes, bytes);
    // A child that has ended and was not waited for yet takes its time away for a moment.
    if (this.last !== undefined && cpuMs < this.last.cpuMs) return;
    if (this.last !== undefined)
      this.peakCores = Math.max(this.peakCores, (cpuMs - this.last.cpuMs) / (at - this.last.at));
    this.last = { at, cpuMs };
  }

  /** `peakCores` over the time between two looks. */
  figures() {
    const { last } = this;
    if (last === undefined) throw new Error('nobody has looked');
    return {
      peakMiB: this.peakBytes / 2 ** 20,
      peakCores: this.peakCores,
      cpuS: last.cpuMs / 1000,
    };
  }
}
