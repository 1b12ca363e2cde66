/** Trainings: asked for, and shown by what they have left in the store. */
import { findDataset, findModel, records, trainingId } from '@facet/catalog';
import { type api, formatRef, keys } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';
import type { Publish } from './facts.js';
import { notFound, Refusal } from './http/problems.js';

type Order = (typeof api.TrainingOrder)['_output'];

export class Trainings {
  constructor(
    private readonly store: ObjectStore,
    private readonly publish: Publish,
  ) {}

  async find(id: string): Promise<api.Training | undefined> {
    const request = await records.trainingRequest.find(this.store, id);
    if (request === undefined) return undefined;
    const outcome = await records.trainingOutcome.find(this.store, id);
    const begun = (await this.store.get(keys.training.checkpoint(id))) !== undefined;
    return {
      ...request,
      id,
      state: outcome?.state ?? (begun ? 'running' : 'requested'),
      sha256: outcome?.state === 'completed' ? outcome.sha256 : null,
      reason: outcome?.state === 'failed' ? outcome.reason : null,
    };
  }

  async get(id: string): Promise<api.Training> {
    const found = await this.find(id);
    if (found === undefined) throw notFound(`training ${id}`);
    return found;
  }

  async *list(after: string | undefined): AsyncGenerator<api.Training> {
    const options = after === undefined ? {} : { after };
    for await (const id of this.store.folders(keys.training.all, options)) {
      const found = await this.find(id);
      if (found !== undefined) yield found;
    }
  }

  async request(order: Order): Promise<{ training: api.Training; begun: boolean }> {
    const dataset = await findDataset(this.store, order.dataset);
    if (dataset === undefined) throw refuse('dataset', `there is no dataset ${formatRef(order.dataset)}`);
    const id = trainingId(order, dataset.digest);
    const known = await this.find(id);
    if (known !== undefined && known.state !== 'failed') return { training: known, begun: false };
    if ((await findModel(this.store, order.model)) !== undefined)
      throw refuse('model', `${formatRef(order.model)} is published already; choose a new version`);
    await this.store.delete(keys.training.outcome(id));
    await this.publish({ type: 'training.requested', subject: formatRef(order.model), data: order });
    await records.trainingRequest.save(this.store, order, id);
    return { training: await this.get(id), begun: true };
  }
}

const refuse = (field: string, detail: string): Refusal =>
  new Refusal('unprocessable', detail, { errors: [{ in: 'body', pointer: `#/${field}`, detail }] });
