/**
 * Whether a pruned service has what ONNX Runtime computes on NVIDIA's GPUs with. Without these files it starts all the same
 * and computes on its CPU, on a node that is paid for its GPU. Which files they are, ONNX Runtime's package says itself.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const PACKAGE = join('node_modules', 'onnxruntime-node');
const VARIANT = 'linux/x64:cuda12';

interface InstallMetadata {
  /** By platform and kind: paths relative to the binding's folder. */
  readonly manifests: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * Paths of the provider's files in a pruned service's folder.
 * @throws Error that names a file which is missing, and how it gets there
 */
export function cudaFiles(folder: string): string[] {
  const own = resolve(folder, PACKAGE);
  if (!existsSync(own)) throw new Error(`${folder} holds no onnxruntime-node: it computes nothing`);
  const metadata = join(own, 'script', 'install-metadata.js');
  const { manifests } = createRequire(import.meta.url)(metadata) as InstallMetadata;
  const names = Object.keys(manifests[VARIANT] ?? {});
  if (names.length === 0) throw new Error(`${metadata} names no files for ${VARIANT}`);
  const [binding, ...more] = readdirSync(join(own, 'bin'));
  if (binding === undefined || more.length > 0)
    throw new Error(`${own}/bin must hold one folder, of the binding`);
  return names.map((name) => {
    const path = join(PACKAGE, 'bin', binding, 'linux', 'x64', name);
    if (existsSync(join(folder, path))) return path;
    throw new Error(
      `${path} is missing, without which it would compute on the CPU; before pruning run node ` +
        `${PACKAGE}/script/install.js --onnxruntime-node-install=cuda12`,
    );
  });
}
