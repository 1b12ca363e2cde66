// The GradientOracle and Trainer ports on ONNX Runtime, in worker threads.
export {};
