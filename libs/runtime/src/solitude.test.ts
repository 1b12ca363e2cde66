import { describe, expect, it } from 'vitest';
import { Solitude } from './solitude.js';

const NEVER = new AbortController().signal;

/** Whether a promise has been settled by now. */
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending');
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
};

describe('Solitude', () => {
  it('lets a suspect work when the others are done, and stops asking until it is', async () => {
    const solitude = new Solitude();
    const leave = (await solitude.enter(false, NEVER))!;
    const asking = solitude.signal;
    const alone = solitude.enter(true, NEVER);
    expect([asking.aborted, solitude.isClaimed, await settled(alone)]).toEqual([true, true, false]);
    const free = solitude.free(NEVER);
    leave();
    const release = (await alone)!;
    expect(await settled(free)).toBe(false);
    release();
    await free;
    expect([solitude.isClaimed, solitude.signal.aborted]).toEqual([false, false]);
  });

  it('lets one of two suspects in', async () => {
    const solitude = new Solitude();
    const release = (await solitude.enter(true, NEVER))!;
    expect(await solitude.enter(true, NEVER)).toBeUndefined();
    release();
    expect(await solitude.enter(true, NEVER)).toBeDefined();
  });

  it('waits no longer than its signal', async () => {
    const solitude = new Solitude();
    await solitude.enter(false, NEVER);
    const stopping = new AbortController();
    const alone = solitude.enter(true, stopping.signal);
    const free = solitude.free(stopping.signal);
    stopping.abort();
    expect(await alone).toBeDefined();
    await free;
  });
});
