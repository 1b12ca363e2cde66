// Multitask training; publishes the network as ONNX.
export {};
