/** A large model passes through the gateway's process without being in it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';

const MODEL_BYTES = 500 * 2 ** 20;
const MAX_GROWTH_BYTES = 100 * 2 ** 20;

/** A gateway that says its address, and at each line of input the most memory that it ever held. */
const GATEWAY = `
  const [{ InProcessBus }, { STREAMS }, { FolderStore }, { NO_LOG }, { openGateway, listen }] = await Promise.all(
    ['@facet/bus', '@facet/contracts', '@facet/store', '@facet/runtime', process.argv[2]].map((name) => import(name)),
  );
  const store = await FolderStore.open(process.argv[1]);
  const options = { store, bus: new InProcessBus(STREAMS), linkKey: Buffer.alloc(32), log: NO_LOG, version: '0' };
  const gateway = await openGateway(options);
  const { token } = await gateway.tokens.create({ name: 'test', role: 'publisher' });
  const { url } = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  console.log(JSON.stringify({ url, token }));
  process.stdin.on('data', () => console.log(process.resourceUsage().maxRSS * 1024));
`;

const MANIFEST = {
  schema: 'facet.model/v1',
  name: 'large',
  version: '1',
  input: { name: 'input', height: 32, width: 32, colour: 'rgb', white: 1 },
  output: { kind: 'logits', name: 'output', classes: 2, live: [0] },
};

async function* form(): AsyncGenerator<Uint8Array> {
  const head = (name: string, more = '') =>
    `--x\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`;
  yield Buffer.from(`${head('manifest')}${JSON.stringify(MANIFEST)}\r\n${head('model', '; filename="m"')}`);
  const chunk = new Uint8Array(2 ** 20);
  for (let sent = 0; sent < MODEL_BYTES; sent += chunk.byteLength) yield chunk;
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
  const before = await peak();
  const answer = await fetch(`${url}/v1/models`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
    body: form() as unknown as RequestInit['body'],
    duplex: 'half',
  });
  // Zeros are no model: it has come whole, has been checked, and is refused.
  expect(answer.status, await answer.text()).toBe(422);
  expect((await peak()) - before).toBeLessThan(MAX_GROWTH_BYTES);
});
