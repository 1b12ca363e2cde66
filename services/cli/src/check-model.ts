/** Whether a model can be attacked as its manifest and the plan say: found out by opening it, before any work. */
import { sha256 } from '@facet/catalog';
import { DECISION_FACET, type EvaluationPlan, type ModelManifest } from '@facet/contracts';
import { Engine, type ModelFacts, share } from '@facet/engine';
import { ModelError } from '@facet/onnx';
import { InputError } from '@facet/runtime';

export interface ModelFiles {
  readonly model: string;
  readonly manifest: string;
}

/** The facets of a model that a plan may name. */
export const facetsOf = ({ facets }: ModelManifest): string[] => [
  DECISION_FACET,
  ...Object.keys(facets).filter((facet) => facet !== DECISION_FACET),
];

/** What is wrong with a model is in its file, or in its manifest where that is what the error speaks of. */
const MANIFEST_PLACE = /^manifest /;

function inputError(files: ModelFiles, cause: ModelError): InputError {
  const { fault, where, problem, message } = cause;
  if (fault === 'malformed')
    return new InputError(`is no ONNX model, or a damaged one (${message})`, { file: files.model, cause });
  const inManifest = where !== undefined && MANIFEST_PLACE.test(where);
  return new InputError(problem, {
    file: inManifest ? files.manifest : files.model,
    ...(where && { field: where.replace(MANIFEST_PLACE, '') }),
    cause,
  });
}

/** The facets that a plan attacks: the decision by `direct`, the others by every other objective. */
function attackedBy({ attacks }: EvaluationPlan, known: readonly string[]): ReadonlySet<string> {
  return new Set(
    attacks.flatMap(({ facets, objectives }) =>
      (facets === 'all' ? known : facets).filter((facet) =>
        objectives.some((objective) => (objective === 'direct') === (facet === DECISION_FACET)),
      ),
    ),
  );
}

/** Every attack follows a gradient; where there is none, the evaluation could only fail, later. */
function checkGradients(
  file: string,
  { withoutGradient }: ModelFacts,
  plan: EvaluationPlan,
  known: readonly string[],
): void {
  const attacked = attackedBy(plan, known);
  const closed = known.filter((facet) => Object.hasOwn(withoutGradient, facet));
  const first = closed.find((facet) => attacked.has(facet));
  if (first === undefined) return;
  const open = known.filter((facet) => !closed.includes(facet));
  const way =
    open.length === 0
      ? 'No facet of this model can be attacked'
      : `A plan can still attack ${open.join(', ')}`;
  throw new InputError(
    `there is no gradient through it, so ${closed.join(', ')} cannot be attacked. ${way}`,
    {
      file,
      field: withoutGradient[first],
    },
  );
}

/**
 * The digest of the model's bytes.
 * Errors: InputError naming the file, and the node, tensor or field.
 */
export async function checkModel(
  files: ModelFiles,
  bytes: Uint8Array,
  manifest: ModelManifest,
  plan: EvaluationPlan,
): Promise<string> {
  const digest = sha256(bytes);
  if (manifest.sha256 !== undefined && manifest.sha256 !== digest)
    throw new InputError(`is not the digest of ${files.model}, which is ${digest}`, {
      file: files.manifest,
      field: 'sha256',
    });
  const engine = new Engine({ threads: 1 });
  try {
    const facts = await engine.check({ digest, bytes: share(bytes), manifest });
    checkGradients(files.model, facts, plan, facetsOf(manifest));
    return digest;
  } catch (cause) {
    throw cause instanceof ModelError ? inputError(files, cause) : cause;
  } finally {
    await engine.close();
  }
}
