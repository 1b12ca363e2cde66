// The GradientOracle and Trainer ports on TensorFlow.js, executing the same ONNX graph.
export {};
