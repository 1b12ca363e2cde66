import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { buildMultitask } from '@facet/networks';
import { writeModel } from '@facet/onnx';
import { expect, it } from 'vitest';
import { facet, scratch } from './facet.js';

/** Where ONNX Runtime's telemetry stays silent by itself, which must not hide that we forgot to silence it. */
const SILENCERS = ['CI', 'ORT_DISABLE_TELEMETRY', 'GITHUB_ACTIONS', 'VITEST', 'TF_BUILD'];

it("leaves no trace of ONNX Runtime's telemetry: no device identifier, no upload log", async () => {
  const folder = await scratch();
  const home = folder.path('home');
  await mkdir(home);
  const model = folder.path('model.onnx');
  const network = buildMultitask({
    backbone: 'resnet-small',
    size: 16,
    channels: 3,
    facets: [],
    seed: 0,
  });
  await writeFile(model, writeModel(network.model));
  const inherited = Object.entries(process.env).filter(([name]) => !SILENCERS.includes(name));
  const own = { HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, TMPDIR: home };
  const { code, stderr } = await facet(['inspect', model], {
    env: { ...Object.fromEntries(inherited), ...own },
  });
  expect(code, stderr).toBe(0);
  expect(await readdir(home, { recursive: true })).toEqual([]);
  await folder.remove();
});
