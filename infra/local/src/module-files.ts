/**
 * Files of other people's Go modules that a server is given as they are: installed as one file, whose documents they
 * are, in the version that we pin.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from './find.js';
import { downloadModule } from './go.js';
import { PROGRAMS } from './programs.js';

interface ModuleFiles {
  /** The Go module. */
  readonly source: string;
  readonly version: string;
  /** YAML files inside the module. */
  readonly files: readonly string[];
}

export const MODULE_FILES = {
  /** The kinds that KEDA adds to a cluster. */
  'keda-crds': {
    source: PROGRAMS['keda-operator'].source,
    version: PROGRAMS['keda-operator'].version,
    files: [
      'eventing.keda.sh_cloudeventsources',
      'eventing.keda.sh_clustercloudeventsources',
      'keda.sh_clustertriggerauthentications',
      'keda.sh_scaledjobs',
      'keda.sh_scaledobjects',
      'keda.sh_triggerauthentications',
    ].map((kind) => `config/crd/bases/${kind}.yaml`),
  },
  /** What kwok does to nodes and pods: they are ready at once, jobs end at once. */
  'kwok-stages': {
    source: 'sigs.k8s.io/kwok',
    version: PROGRAMS.kwok.version,
    files: [
      'node/fast/node-initialize',
      'node/heartbeat-with-lease/node-heartbeat-with-lease',
      'pod/fast/pod-ready',
      'pod/fast/pod-complete',
      'pod/fast/pod-delete',
    ].map((stage) => `kustomize/stage/${stage}.yaml`),
  },
} as const satisfies Readonly<Record<string, ModuleFiles>>;

export type ModuleFilesName = keyof typeof MODULE_FILES;

export const MODULE_FILES_NAMES = Object.keys(MODULE_FILES) as ModuleFilesName[];

const pathOf = (name: ModuleFilesName): string =>
  join(cacheFolder(), 'files', `${name}-${MODULE_FILES[name].version}.yaml`);

/** @throws {Error} that says how to get them */
export function needModuleFiles(name: ModuleFilesName): string {
  const path = pathOf(name);
  if (existsSync(path)) return path;
  throw new Error(`${name} are not installed; "npm run servers -- ${name}" installs them (it needs Go)`);
}

/**
 * The path of the file, which is made where it is not there yet.
 * @throws {Error} where Go is missing, or the module or a file of it cannot be had
 */
export async function installModuleFiles(name: ModuleFilesName): Promise<string> {
  const path = pathOf(name);
  if (existsSync(path)) return path;
  const { source, version, files } = MODULE_FILES[name];
  const module = await downloadModule(`${source}@${version}`);
  const texts = await Promise.all(files.map((file) => readFile(join(module, file), 'utf8')));
  await mkdir(dirname(path), { recursive: true });
  // Several processes may do so at once.
  const made = `${path}.${process.pid}`;
  await writeFile(made, texts.join('\n---\n'));
  await rename(made, path);
  return path;
}
