/**
 * TensorFlow.js as this library sees it. The module is an argument everywhere and never imported: the pure
 * JavaScript build, tfjs-node and tfjs-node-gpu hold the same API, and a process must load only one of them.
 */
import type * as core from '@tensorflow/tfjs-core';

export type TF = Omit<typeof core, 'default'>;
export type TfTensor = core.Tensor;
export type TfTensor2D = core.Tensor2D;
export type TfTensor4D = core.Tensor4D;
export type DataType = 'float32' | 'int32' | 'bool';
