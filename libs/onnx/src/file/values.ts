/** Inputs and outputs of the graph: tensors with a size or a name per axis. */
import { create } from '@bufbuild/protobuf';
import { ModelError } from '../errors.js';
import type { ValueInfo } from '../graph.js';
import {
  TensorShapeProto_DimensionSchema,
  TypeProtoSchema,
  TypeProto_TensorSchema,
  TensorShapeProtoSchema,
  ValueInfoProtoSchema,
  type TensorShapeProto_Dimension,
  type ValueInfoProto,
} from './generated/onnx_pb.js';
import type { FileLimits } from './limits.js';
import { keepValue, putBack } from './rest.js';
import { elementCode, elementType } from './tensor.js';
import { named } from './where.js';

export function readValue(kind: 'input' | 'output', proto: ValueInfoProto, limits: FileLimits): ValueInfo {
  const where = named(kind, proto.name);
  if (proto.name === '') throw new ModelError('invalid', 'has no name', where);
  const type = proto.type?.value;
  if (type?.case === undefined) throw new ModelError('invalid', 'declares no type', where);
  if (type.case !== 'tensorType')
    throw new ModelError('unsupported', `is a ${type.case.replace(/Type$/, '')}, not a tensor`, where);
  const { elemType, shape } = type.value;
  if (shape === undefined)
    throw new ModelError('unsupported', "declares no shape; run ONNX's shape inference on the model", where);
  if (shape.dim.length > limits.axes) throw new ModelError('limit', `has ${shape.dim.length} axes`, where);
  const value: ValueInfo = {
    name: proto.name,
    type: elementType(elemType, where),
    dims: shape.dim.map((dim, axis) => readDim(dim, `${proto.name}.${axis}`, limits, where)),
  };
  keepValue(value, proto);
  return value;
}

/** Exporters write -1 where they know no size; such an axis gets a name of its own. */
function readDim(
  { value }: TensorShapeProto_Dimension,
  unknown: string,
  limits: FileLimits,
  where: string,
): number | string {
  if (value.case === 'dimParam' && value.value !== '') return value.value;
  if (value.case !== 'dimValue' || value.value === -1n) return unknown;
  if (value.value < 0n) throw new ModelError('invalid', `has an axis of ${value.value}`, where);
  if (value.value > BigInt(limits.elementsPerTensor))
    throw new ModelError('limit', `has an axis of ${value.value}`, where);
  return Number(value.value);
}

export function writeValue(value: ValueInfo): ValueInfoProto {
  const shape = create(TensorShapeProtoSchema, {
    dim: value.dims.map((dim) =>
      create(TensorShapeProto_DimensionSchema, {
        value:
          typeof dim === 'number'
            ? { case: 'dimValue', value: BigInt(dim) }
            : { case: 'dimParam', value: dim },
      }),
    ),
  });
  const tensor = create(TypeProto_TensorSchema, { elemType: elementCode(value.type), shape });
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } });
  return putBack(create(ValueInfoProtoSchema, { name: value.name, type }), value);
}
