/** Whether a model can be attacked as its manifest and the plan say: found out by opening it, before any work. */
import { sha256 } from '@facet/catalog';
import {
  type AttackGroup,
  concernsDecision,
  DECISION_FACET,
  type EvaluationPlan,
  type ModelManifest,
  needsGradient,
  type ObjectiveName,
} from '@facet/contracts';
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

/** The facets that a plan attacks by gradients alone: objectives of the decision are also pursued without any. */
function attackedByGradients({ attacks }: EvaluationPlan, known: readonly string[]): ReadonlySet<string> {
  const attacked = (concern: (group: AttackGroup, objective: ObjectiveName) => boolean): Set<string> =>
    new Set(
      attacks.flatMap((group) =>
        (group.facets === 'all' ? known : group.facets).filter((facet) =>
          group.objectives.some(
            (objective) =>
              concernsDecision(objective) === (facet === DECISION_FACET) && concern(group, objective),
          ),
        ),
      ),
    );
  const otherwise = attacked(
    ({ searches }, objective) => objective === 'direct' && !searches.every(needsGradient),
  );
  return new Set([...attacked(() => true)].filter((facet) => !otherwise.has(facet)));
}

/** Where there is no gradient, what follows one could only fail, later. */
function checkGradients(
  file: string,
  { withoutGradient }: ModelFacts,
  plan: EvaluationPlan,
  known: readonly string[],
): void {
  const attacked = attackedByGradients(plan, known);
  const closed = known.filter((facet) => Object.hasOwn(withoutGradient, facet));
  const first = closed.find((facet) => attacked.has(facet));
  if (first === undefined) return;
  const open = known.filter((facet) => !closed.includes(facet));
  const ways = [
    ...(open.length === 0 ? [] : [`by gradients ${open.join(', ')}`]),
    ...(closed.includes(DECISION_FACET)
      ? [`the decision (${DECISION_FACET}, direct) by the searches square, hop-skip-jump and auto`]
      : []),
  ];
  throw new InputError(
    `there is no gradient through it, so ${closed.join(', ')} cannot be attacked by following one. A plan can still attack ${ways.join(', and ')}`,
    { file, field: withoutGradient[first] },
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
