/** How a pool itself fails. What a task throws comes back as itself. */

/** The worker ended in the middle of the task: out of memory, `process.exit`, an error outside of any task. */
export class WorkerCrashed extends Error {
  override readonly name = 'WorkerCrashed';
  constructor(
    readonly pool: string,
    readonly task: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`a worker of pool "${pool}" died while it ran "${task}": ${reason}`, options);
  }
}

/** The task had not finished, or not begun, when the pool was closed. */
export class PoolClosed extends Error {
  override readonly name = 'PoolClosed';
  constructor(readonly pool: string) {
    super(`pool "${pool}" is closed`);
  }
}
