// A gateway on this machine, and what a pipeline does with it: publish, upload, ask, follow, fetch.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoFiles, facet, OUT, percent, readJson, serve } from '../facet.mjs';

const { model, manifest, dataset } = demoFiles();
const { server, token, end } = await serve(join(OUT, 'gateway'));
// The command line finds the gateway by these.
Object.assign(process.env, { FACET_SERVER: server, FACET_TOKEN: token });
const api = async (path, options = {}) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${server}${path}`, { ...options, headers });
  // A refusal says in its body what is wrong, field by field.
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return answer;
};

try {
  facet('publish', '--model', model, '--manifest', manifest);
  facet('datasets', 'upload', dataset);

  const order = {
    model: { name: readJson(manifest).name, version: readJson(manifest).version },
    dataset: { name: 'unpacked-faces', version: '1' },
    plan: readJson(join(import.meta.dirname, 'plan.json')),
  };
  const asked = await api('/v1/evaluations', { method: 'POST', body: JSON.stringify(order) });
  const { id } = await asked.json();

  // Server-sent events: each is the whole state, and the last one is its end.
  let state;
  const events = await api(`/v1/evaluations/${id}/events`);
  let text = '';
  for await (const chunk of events.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const complete = text.lastIndexOf('\n\n') + 2;
    for (const [, data] of text.slice(0, complete).matchAll(/^data: (.*)$/gm)) {
      state = JSON.parse(data);
      console.log(`${state.state}: ${state.done} of ${state.total} shards`);
    }
    text = text.slice(complete);
  }
  if (state?.state !== 'completed') throw new Error(`evaluation ${id}: ${state?.reasons.join('; ')}`);

  const report = await (await api(`/v1/evaluations/${id}/report?format=json`)).json();
  writeFileSync(join(OUT, 'gateway', 'report.json'), JSON.stringify(report));
  for (const { search, attackSuccessRate } of report.cells)
    console.log(`${search}: ${percent(attackSuccessRate)} of the right decisions fall`);
} finally {
  await end();
}
