/** What ONNX Runtime says of a model, as an error that names the place: its texts name nodes in several ways. */
import { ModelError } from '@facet/onnx';
import { LESS_MEMORY } from './memory.js';

const NODE_FORMS = [
  /Node \(([^()]+)\) Op \((\w+)\)/,
  /while running (\w+) node\. Name:'([^']+)'/,
  /Node[: ]+\(?'?([^\s'()]+)'?\)?/i,
];
/** Where in its own sources it failed says nothing to others. */
const SOURCE_PLACE = /\/\S*onnxruntime\S*:\d+ [^\n]*?(?:\)|>) (?:\[with [^\]]*\] )?/g;
const LONGEST = 400;
/** What its arena and the C++ library say when there is no memory left. */
const OUT_OF_MEMORY = /failed to allocate memory|bad[ _]alloc/i;

function placeOf(message: string): string {
  const [opened, ran, other] = NODE_FORMS.map((form) => form.exec(message));
  if (opened) return `node '${opened[1]}' (${opened[2]})`;
  if (ran) return `node '${ran[2]}' (${ran[1]})`;
  return other ? `node '${other[1]}'` : 'model';
}

/** @param doing what failed, as in "ONNX Runtime refuses it" */
export function runtimeError(doing: string, cause: unknown): ModelError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const told = message.replaceAll(SOURCE_PLACE, '').trim().slice(0, LONGEST);
  if (OUT_OF_MEMORY.test(message))
    return new ModelError('limit', `there is not enough memory (${told}); ${LESS_MEMORY}`, placeOf(message), {
      cause,
    });
  return new ModelError('unsupported', `${doing}: ${told}`, placeOf(message), { cause });
}
