/** On what it was measured: a figure without its machine and versions says nothing. */
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './findings.js';

const { version: onnxruntime } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
  version: string;
};

/** Worker threads of ours, and as many of a peer's. */
export const THREADS = Math.min(2, availableParallelism());

/** @param peers versions of what was measured against, by name */
export const machine = (peers: Readonly<Record<string, string>> = {}): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  os: `${type()} ${release()} ${arch()}`,
  versions: { node: process.versions.node, 'onnxruntime-node': onnxruntime, ...peers },
});
