// Losses, schedules and the training loop over the Trainer port; no I/O.
export {};
