/** Which rule stands for which operator; operators of other domains carry theirs as a prefix. */
import * as convolution from './convolution.js';
import * as elementwise from './elementwise.js';
import * as indexing from './indexing.js';
import * as layout from './layout.js';
import * as matmul from './matmul.js';
import * as normalisation from './normalisation.js';
import * as pooling from './pooling.js';
import * as quantised from './quantised.js';
import * as reduction from './reduction.js';
import * as resizing from './resizing.js';
import type { Rule } from './site.js';
import * as slicing from './slicing.js';

const family = (rule: Rule, operators: string): [string, Rule][] =>
  operators.split(' ').map((operator) => [operator, rule]);

export const RULES: ReadonlyMap<string, Rule> = new Map([
  ...family(
    elementwise.unary,
    'Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh CumSum Elu Erf Exp Floor Gelu ' +
      'HardSigmoid HardSwish Hardmax Identity LeakyRelu Log LogSoftmax LpNormalization LRN ' +
      'MeanVarianceNormalization Mish Neg Not Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softmax ' +
      'Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu',
  ),
  ...family(elementwise.broadcasting, 'Add And Div Mod Mul Or Sub Xor'),
  ...family(elementwise.variadic, 'Max Mean Min Sum'),
  ...family(elementwise.comparison, 'Equal Greater GreaterOrEqual Less LessOrEqual'),
  ...family(elementwise.predicate, 'IsInf IsNaN'),
  ...Object.entries({
    Pow: elementwise.pow,
    PRelu: elementwise.prelu,
    Where: elementwise.where,
    Cast: elementwise.cast,
    CastLike: elementwise.castLike,
    Dropout: elementwise.dropout,

    Conv: convolution.conv,
    ConvTranspose: convolution.convTranspose,
    MaxPool: pooling.maxPool,
    AveragePool: pooling.pool,
    LpPool: pooling.pool,
    GlobalAveragePool: pooling.globalPool,
    GlobalMaxPool: pooling.globalPool,
    GlobalLpPool: pooling.globalPool,

    MatMul: matmul.matMul,
    Gemm: matmul.gemm,
    Einsum: matmul.einsum,
    'com.microsoft:FusedMatMul': matmul.fusedMatMul,

    BatchNormalization: normalisation.batchNormalization,
    InstanceNormalization: normalisation.instanceNormalization,
    GroupNormalization: normalisation.groupNormalization,
    LayerNormalization: normalisation.layerNormalization,
    RMSNormalization: normalisation.layerNormalization,

    ArgMax: reduction.argExtreme,
    ArgMin: reduction.argExtreme,
    TopK: reduction.topK,

    Reshape: layout.reshape,
    Flatten: layout.flatten,
    Transpose: layout.transpose,
    Squeeze: layout.squeeze,
    Unsqueeze: layout.unsqueeze,
    Concat: slicing.concat,
    Split: slicing.split,
    Slice: slicing.slice,
    Pad: slicing.pad,
    Expand: resizing.expand,
    Tile: resizing.tile,
    DepthToSpace: layout.depthToSpace,
    SpaceToDepth: layout.spaceToDepth,
    Resize: resizing.resize,
    Trilu: layout.trilu,

    Gather: indexing.gather,
    GatherElements: indexing.gatherElements,
    GatherND: indexing.gatherND,
    ScatterElements: indexing.scatterElements,
    ScatterND: indexing.scatterND,
    OneHot: indexing.oneHot,
    Constant: indexing.constant,
    ConstantOfShape: indexing.constantOfShape,
    Range: indexing.range,
    Shape: indexing.shapeOf,
    Size: indexing.sizeOf,

    QuantizeLinear: quantised.quantizeLinear,
    DequantizeLinear: quantised.dequantizeLinear,
    DynamicQuantizeLinear: quantised.dynamicQuantizeLinear,
    ConvInteger: quantised.convInteger,
    MatMulInteger: quantised.matMulInteger,
    QLinearConv: quantised.qLinearConv,
    QLinearMatMul: quantised.qLinearMatMul,
    'com.microsoft:QuantizeLinear': quantised.quantizeLinear,
    'com.microsoft:DequantizeLinear': quantised.dequantizeLinear,
    'com.microsoft:QLinearAdd': quantised.qLinearBinary,
    'com.microsoft:QLinearMul': quantised.qLinearBinary,
    'com.microsoft:QLinearSigmoid': quantised.qLinearUnary,
    'com.microsoft:QLinearLeakyRelu': quantised.qLinearUnary,
    'com.microsoft:QLinearAveragePool': quantised.qLinearPool,
    'com.microsoft:QLinearGlobalAveragePool': quantised.qLinearGlobalPool,
    'com.microsoft:QLinearConcat': quantised.qLinearConcat,
    'com.microsoft:QGemm': quantised.qGemm,
    'com.microsoft:DynamicQuantizeMatMul': quantised.matMulToFloat,
    'com.microsoft:MatMulIntegerToFloat': quantised.matMulToFloat,
  }),
  ...family(
    reduction.reduce,
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ' +
      'ReduceSumSquare',
  ),
]);

export const ruleOf = (op: string, domain: string): Rule | undefined =>
  RULES.get(domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`);
