/** Asking for evaluations and stopping them. */
import { evaluationId, findDataset, findModel, records, saveRequest } from '@facet/catalog';
import { api, DECISION_FACET, formatRef, type ModelManifest } from '@facet/contracts';
import { checkPlan } from '@facet/plans';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import type { Publish } from '../facts.js';
import { Refusal } from '../http/problems.js';
import type { Evaluations } from './evaluations.js';

const facetsOf = ({ facets }: ModelManifest): string[] => [
  DECISION_FACET,
  ...Object.keys(facets).filter((facet) => facet !== DECISION_FACET),
];

function missing(field: string, what: string): Refusal {
  const detail = `there is no ${field} ${what}`;
  return new Refusal('unprocessable', detail, { errors: [{ in: 'body', pointer: `#/${field}`, detail }] });
}

export class EvaluationRequests {
  constructor(
    private readonly store: ObjectStore,
    private readonly evaluations: Evaluations,
    private readonly publish: Publish,
  ) {}

  /** `begun`: false where it runs already or has been completed. What failed or was cancelled begins again. */
  async request(order: api.EvaluationOrder): Promise<{ evaluation: api.EvaluationDetail; begun: boolean }> {
    const { model, dataset, plan, policy } = order;
    const manifest = await findModel(this.store, model);
    if (manifest?.sha256 === undefined) throw missing('model', formatRef(model));
    const stored = await findDataset(this.store, dataset);
    if (stored === undefined) throw missing('dataset', formatRef(dataset));
    if (stored.splits.test.length === 0)
      throw missing('dataset', `${formatRef(dataset)} with samples in the split "test"`);
    await inPlan(() => checkPlan(plan, facetsOf(manifest)));
    const id = evaluationId({ ref: model, digest: manifest.sha256 }, stored, plan, policy);
    const known = await this.evaluations.find(id);
    if (known !== undefined && known.state !== 'failed' && known.state !== 'cancelled')
      return { evaluation: known, begun: false };
    await records.evaluationFailure.forget(this.store, id);
    await records.cancellation.forget(this.store, id);
    this.evaluations.forget(id);
    await this.publish({ type: 'evaluation.requested', subject: id, data: order });
    await saveRequest(this.store, { schema: 'facet.request/v1', evaluation: id, ...order });
    return { evaluation: await this.evaluations.get(id), begun: true };
  }

  /** Errors: Refusal where there is none, or it has ended otherwise. */
  async cancel(id: string, by: string): Promise<api.EvaluationDetail> {
    const { state } = await this.evaluations.get(id);
    if (state === 'cancelled') return this.evaluations.get(id);
    if (api.ENDED.includes(state)) throw new Refusal('conflict', `evaluation ${id} has ${state} already`);
    await records.cancellation.save(this.store, { schema: 'facet.cancelled/v1', by }, id);
    await this.publish({ type: 'evaluation.cancelled', subject: id, data: { evaluation: id } });
    return this.evaluations.get(id);
  }
}

/** The plan is one field of the request. */
async function inPlan(check: () => void): Promise<void> {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problem, { field: `plan.${error.field ?? ''}`, cause: error });
  }
}
