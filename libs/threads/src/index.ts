// Typed requests to worker threads and processes: progress, cancellation, back-pressure, limits.
export { type Pool, type RunOptions } from './pool.js';
export { ThreadPool, type ThreadPoolOptions } from './thread-pool.js';
export { ProcessPool, type ProcessPoolOptions } from './process-pool.js';
export { serveTasks, type Task, type TaskContext } from './serve.js';
export { PoolClosed, WorkerCrashed } from './errors.js';
export { onAbort } from './on-abort.js';
