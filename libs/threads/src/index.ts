// Typed requests to worker threads: progress, cancellation, back-pressure; compute never runs on the event loop.
export { ThreadPool, type RunOptions, type ThreadPoolOptions } from './pool.js';
export { serveTasks, type Task, type TaskContext } from './serve.js';
export { PoolClosed, WorkerCrashed } from './errors.js';
