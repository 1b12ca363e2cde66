// PAD and robustness metrics (ISO/IEC 30107-3); pure functions.
export {};
