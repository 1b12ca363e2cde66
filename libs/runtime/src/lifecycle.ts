/**
 * From start to end of a process: who opened what, and that it is closed in the reverse order, once, whatever fails
 * on the way. The first SIGINT or SIGTERM aborts the signal, so that the process can drain; a second one kills it.
 */
import { type EventEmitter } from 'node:events';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Lifecycle {
  private readonly controller = new AbortController();
  private readonly resources: { readonly name: string; readonly close: () => unknown }[] = [];
  private closing: Promise<void> | undefined;
  private readonly onSignal = (signal: string) => this.abort(new Error(`stopped by ${signal}`));

  /** @param process where signals come from */
  constructor(private readonly process: Pick<EventEmitter, 'once' | 'off'> = globalThis.process) {
    for (const signal of SIGNALS) process.once(signal, this.onSignal);
  }

  /** Aborts when the process is asked to end. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Has `close` called at the end, before everything that was there earlier; returns the resource. */
  own<T>(name: string, resource: T, close: (resource: T) => unknown): T {
    this.resources.push({ name, close: () => close(resource) });
    return resource;
  }

  abort(reason: Error): void {
    for (const signal of SIGNALS) this.process.off(signal, this.onSignal);
    this.controller.abort(reason);
  }

  /**
   * Aborts the signal and closes everything. Idempotent.
   * @throws {AggregateError} of what failed, after all has been tried
   */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    this.abort(new Error('closed'));
    const failures: Error[] = [];
    for (const { name, close } of this.resources.reverse()) {
      try {
        await close();
      } catch (cause) {
        failures.push(new Error(`${name} did not close`, { cause }));
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, failures.map((failure) => failure.message).join('; '));
  }
}
