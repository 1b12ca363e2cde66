/** The reference networks as files, exported once per content of the scripts that make them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder, digestOf, peerFile } from './cache.js';
import { runToEnd } from './python.js';

const MADE_BY = ['export.py', 'networks.py', 'requirements.txt'];

/** What `export.py` says of a network: the last of its files to be written. */
export const Exported = z.object({
  name: z.string(),
  madeBy: z.string(),
  /** Of the input. */
  shape: z.tuple([z.int(), z.literal(3), z.int(), z.int()]),
  /** Which of the images outputs and gradients are there for. */
  checked: z.array(z.int()),
  labels: z.array(z.int()),
  versions: z.record(z.string(), z.string()),
});
export type Exported = z.infer<typeof Exported>;

export interface ReferenceNetwork extends Exported {
  /** Path of one of the network's files, by its ending: `onnx`, `input.f32`, `gradient.f64`, ... */
  file(ending: string): string;
}

/** What lies in the cache; an older exporter may have written its facts otherwise. */
function read(folder: string, name: string): ReferenceNetwork | undefined {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  if (!existsSync(file('json'))) return undefined;
  const { data } = Exported.safeParse(JSON.parse(readFileSync(file('json'), 'utf8')));
  return data && { ...data, file };
}

/** Exports a network unless it lies in the cache. @throws Error with the exporter's last lines where it fails */
export async function referenceNetwork(
  python: string,
  name: string,
  log: (line: string) => void,
): Promise<ReferenceNetwork> {
  const folder = join(cacheFolder(), 'models');
  const madeBy = digestOf(MADE_BY.map(peerFile));
  const known = read(folder, name);
  if (known?.madeBy === madeBy) return known;
  log(`exporting ${name} to ${folder}`);
  mkdirSync(folder, { recursive: true });
  await runToEnd(python, [peerFile('export.py'), folder, madeBy, name]);
  const made = read(folder, name);
  if (made?.madeBy !== madeBy) throw new Error(`export.py left no ${name} in ${folder}`);
  return made;
}
