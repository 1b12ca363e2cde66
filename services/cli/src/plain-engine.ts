/** Asks the engine about one model that has no manifest; what is wrong is said by the file or option to mend. */
import { Engine, share } from '@facet/engine';
import { ModelError } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import { readModelFile } from './inputs.js';

/** A place that is not in the model but in what was asked. */
const TASK_PLACE = /^task (\w+)$/;

/**
 * @param places the option or file that stands for each field of the task
 * Errors: InputError naming the model's file with the node or tensor, or the option.
 */
export async function askEngine<T>(
  file: string,
  ask: (engine: Engine, bytes: Uint8Array) => Promise<T>,
  places: Readonly<Record<string, string>> = {},
): Promise<T> {
  const bytes = share(await readModelFile(file));
  const engine = new Engine({ threads: 1 });
  try {
    return await ask(engine, bytes);
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw new InputError((cause as Error).message, { file, cause });
    const { where, problem } = cause;
    const [, field] = TASK_PLACE.exec(where ?? '') ?? [];
    if (field !== undefined) throw new InputError(problem, { file: places[field], cause });
    throw new InputError(problem, { file, ...(where && { field: where }), cause });
  } finally {
    await engine.close();
  }
}
