/** `facet doctor`: what this machine can do, and what is in the way of the rest. */
import { availableParallelism, cpus } from 'node:os';
import {
  machineMemoryBytes,
  type ProviderProbe,
  probeProviders,
  providerWish,
  settingsOf,
} from '@facet/engine';
import { findAddon, HOW_TO_BUILD } from '@facet/tensorflow-addon';
import { backendWish } from '@facet/training';

const GIB = 2 ** 30;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
const row = (label: string, text: string): string => `${label.padEnd(12)}${text}`;

const probeRow = ({ provider, problem }: ProviderProbe): string =>
  row(provider, problem === undefined ? 'computes' : `does not compute: ${problem}`);

/** The library of the second backend, which no command needs. */
function tensorflowRow(): string {
  const addon = findAddon();
  const built = addon && `${addon.version} (${addon.kind}), in ${addon.folder}`;
  return row('tensorflow', built ?? `not built, and not needed: ONNX Runtime computes; ${HOW_TO_BUILD}`);
}

function backendRow(): string {
  const wish = backendWish();
  const instead =
    wish === 'tensorflow' && findAddon() === undefined ? ', not built: ONNX Runtime trains' : '';
  return row('training', `FACET_BACKEND=${wish}${instead}`);
}

/** Returns whether Facet can compute here at all. */
export async function doctor(version: string): Promise<boolean> {
  const { threads, memoryBytes } = settingsOf();
  const wish = providerWish();
  const probes = await probeProviders(['cpu', 'cuda', 'webgpu']);
  const [processor] = cpus();
  const lines = [
    row('facet', `${version}, Node ${process.versions.node} on ${process.platform} ${process.arch}`),
    row('processor', `${availableParallelism()} cores, ${processor?.model.trim() ?? 'of unknown kind'}`),
    row(
      'memory',
      `${gib(machineMemoryBytes())}; ${threads} workers hold up to ${gib(memoryBytes / threads)} each`,
    ),
    ...probes.map(probeRow),
    tensorflowRow(),
    row('provider', `FACET_PROVIDER=${wish}`),
    backendRow(),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return probes[0].problem === undefined;
}
