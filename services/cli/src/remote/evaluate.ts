/** `facet evaluate --server`: the same evaluation on a cluster, followed live, with the same reports and exit codes. */
import { stat } from 'node:fs/promises';
import { api, formatRef, Policy } from '@facet/contracts';
import { TerminalError } from '@facet/runtime';
import { finishWith } from '../finish.js';
import { readDocument, readPlan } from '../inputs.js';
import { progressView } from '../progress.js';
import { Client, type ServerOptions } from './client.js';
import { publishModelTo, refOf, uploadDatasetTo } from './uploads.js';

export interface RemoteEvaluateOptions extends ServerOptions {
  readonly model: string;
  readonly manifest: string;
  /** A folder with `dataset.json`, or NAME@VERSION of one that the server has. */
  readonly dataset: string;
  readonly plan: string;
  readonly policy?: string;
  readonly out: string;
  readonly seed?: number;
}

const FORMATS = { json: 'json', html: 'html', xml: 'junit' } as const;

export async function evaluateOn(options: RemoteEvaluateOptions): Promise<number> {
  const client = new Client(options);
  const plan = await readPlan(options.plan, options.seed);
  const policy = options.policy ? await readDocument(options.policy, Policy) : undefined;
  const view = progressView(process.stderr);
  try {
    const isFolder = await stat(options.dataset).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const dataset = isFolder ? await uploadDatasetTo(client, options.dataset) : refOf(options.dataset);
    view.say(`dataset ${formatRef(dataset)}`);
    const { name, version } = await publishModelTo(client, options);
    const model = { name, version };
    view.say(`model ${formatRef(model)}`);
    const order = { model, dataset, plan, ...(policy && { policy }) };
    const { id } = await client.send('POST', '/v1/evaluations', api.EvaluationDetail, order);
    view.say(`evaluation ${id}`);
    let last: api.EvaluationProgress | undefined;
    for await (const progress of client.follow(id)) {
      last = progress;
      const { done, failed, total } = progress;
      if (total > 0) view.report({ step: 'attacks', done: done + failed, total, unit: 'shards' });
    }
    view.close();
    if (last?.state !== 'completed')
      throw new TerminalError(
        [`evaluation ${id} ${last?.state ?? 'broke off'}`, ...(last?.reasons ?? [])].join('\n'),
      );
    const { code, text } = await finishWith(id, options.out, async (kind) => {
      const response = await client.call(`/v1/evaluations/${id}/report?format=${FORMATS[kind]}`);
      return new Uint8Array(await response.arrayBuffer());
    });
    process.stdout.write(text);
    return code;
  } finally {
    view.close();
  }
}
