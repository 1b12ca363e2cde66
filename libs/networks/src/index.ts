// The multitask anti-spoofing networks, built as ONNX graphs; no I/O.
export {};
