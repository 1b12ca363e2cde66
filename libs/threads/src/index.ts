// Typed requests to worker threads: progress, cancellation, back-pressure; compute never runs on the event loop.
export {};
