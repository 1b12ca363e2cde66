/** A large model passes through the gateway's process without being in it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GraphBuilder, modelOf, tensorF32, tensorI64, writeModel } from '@facet/onnx';
import { expect, it, onTestFinished } from 'vitest';

const MODEL_BYTES = 500 * 2 ** 20;
const MAX_GROWTH_BYTES = 100 * 2 ** 20;

/** A gateway that says its address, and at each line of input the most memory that it ever held. */
const GATEWAY = `
  const [{ InProcessBus }, { STREAMS }, { FolderStore }, { NO_LOG }, { openGateway, listen }] = await Promise.all(
    ['@facet/bus', '@facet/contracts', '@facet/store', '@facet/runtime', process.argv[2]].map((name) => import(name)),
  );
  const store = await FolderStore.open(process.argv[1]);
  const options = { store, bus: new InProcessBus(STREAMS), linkKey: Buffer.alloc(32), onBroken: console.error, log: NO_LOG, version: '0' };
  const gateway = await openGateway(options);
  const { token } = await gateway.tokens.create({ name: 'test', role: 'publisher' });
  const { url } = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  console.log(JSON.stringify({ url, token }));
  process.stdin.on('data', () => console.log(process.resourceUsage().maxRSS * 1024));
`;

const SIZE = 32;
const MANIFEST = {
  schema: 'facet.model/v1',
  name: 'large',
  version: '1',
  input: { name: 'input', height: SIZE, width: SIZE, colour: 'rgb', white: 1 },
  output: { kind: 'logits', name: 'output', classes: 2, live: [0] },
};

/** A sound model that is nothing but large: of a table that has almost all of its bytes, it reads a row. */
function largeModel(): Uint8Array {
  const row = 2048;
  const builder = new GraphBuilder();
  const weights = (...dims: number[]) => {
    const count = dims.reduce((product, dim) => product * dim);
    return builder.constant(tensorF32(dims, new Float32Array(count).fill(1 / row)));
  };
  builder.input('input', 'float32', ['N', 3, SIZE, SIZE]);
  const map = builder.node('Conv', ['input', weights(2, 3, 1, 1)]);
  const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [map])]);
  const table = weights(MODEL_BYTES / 4 / row, row);
  const read = builder.node('Gather', [table, builder.constant(tensorI64([7]))], { axis: 0 });
  const shift = builder.node('MatMul', [read, weights(row, 2)]);
  builder.output(builder.node('Add', [pooled, shift]), 'float32', ['N', 2], 'output');
  return writeModel(modelOf(builder.build('large')));
}

async function* form(model: Uint8Array): AsyncGenerator<Uint8Array> {
  const head = (name: string, more = '') =>
    `--x\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`;
  yield Buffer.from(`${head('manifest')}${JSON.stringify(MANIFEST)}\r\n${head('model', '; filename="m"')}`);
  for (let sent = 0; sent < model.byteLength; sent += 2 ** 20) yield model.subarray(sent, sent + 2 ** 20);
  yield Buffer.from('\r\n--x--\r\n');
}

it('500 MB grow it by less than 100 MB', { timeout: 180_000 }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'facet-large-'));
  const entry = new URL('../dist/index.js', import.meta.url);
  const child = spawn(process.execPath, ['--input-type=module', '-e', GATEWAY, root, entry.href], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await rm(root, { recursive: true, force: true });
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  const { url, token } = JSON.parse(await line()) as { url: string; token: string };
  const peak = async () => {
    child.stdin.write('peak\n');
    return Number(await line());
  };
  const model = largeModel();
  expect(model.byteLength).toBeGreaterThan(MODEL_BYTES);
  const before = await peak();
  const answer = await fetch(`${url}/v1/models`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
    body: form(model) as unknown as RequestInit['body'],
    duplex: 'half',
  });
  const said = await answer.text();
  expect(answer.status, said).toBe(201);
  expect(JSON.parse(said)).toMatchObject({ name: 'large', bytes: model.byteLength });
  expect((await peak()) - before).toBeLessThan(MAX_GROWTH_BYTES);
});
