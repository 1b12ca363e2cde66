/** What worker threads do, as shares of the time that they could have computed. */
import type { Runtime } from 'node:inspector';
import { ownTimes, type ThreadProfile } from './profile.js';

export interface Shares {
  /** Inside the compute library's sessions, while they run. */
  readonly sessions: number;
  /** Opening them. */
  readonly openingShare: number;
  /** Of the thread doing nothing: it waits for a task, or for what its task has asked of the system. */
  readonly waitingShare: number;
  readonly garbageShare: number;
  /** Everything else that runs in the threads. */
  readonly codeShare: number;
  /** Before the threads were started, and after they had ended. */
  readonly awayShare: number;
}

/** Native code of the compute library counts for the function that calls it. */
const RUNTIME = /\/onnxruntime-(node|common)\//;
const OPENING = new Set(['OnnxruntimeSessionHandler', 'initOrt', 'dlopen']);

function kindOf({ functionName, url }: Runtime.CallFrame) {
  if (functionName === '(idle)') return 'waiting';
  if (functionName === '(garbage collector)') return 'garbage';
  if (OPENING.has(functionName)) return 'opening';
  return RUNTIME.test(url) ? 'sessions' : 'code';
}

/** @param availableMs of all threads together */
export function shares(profiles: readonly ThreadProfile[], availableMs: number): Shares {
  const us = { sessions: 0, opening: 0, waiting: 0, garbage: 0, code: 0 };
  for (const { profile } of profiles)
    for (const { frame, us: own } of ownTimes(profile)) us[kindOf(frame)] += own;
  const share = (part: number): number => part / 1_000 / availableMs;
  const { sessions, opening, waiting, garbage, code } = us;
  return {
    sessions: share(sessions),
    openingShare: share(opening),
    waitingShare: share(waiting),
    garbageShare: share(garbage),
    codeShare: share(code),
    awayShare: 1 - share(sessions + opening + waiting + garbage + code),
  };
}
