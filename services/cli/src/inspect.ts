/** `facet inspect`: what an ONNX model is, before anybody has written its manifest. */
import { basename } from 'node:path';
import { sha256 } from '@facet/catalog';
import type { ModelManifest } from '@facet/contracts';
import type { Inspection, ManifestGuess } from '@facet/engine';
import { inspectionText } from './inspect-text.js';
import { askEngine } from './plain-engine.js';

/** A manifest that could be this model's. */
export interface LikelyManifest {
  readonly document: Pick<ModelManifest, 'schema' | 'name' | 'version' | 'input' | 'output'> & {
    readonly crop: NonNullable<ModelManifest['crop']>;
  };
  /** Paths of fields, such as `input.colour`, that no file says: whoever trained the model knows them. */
  readonly guesses: readonly string[];
}

/** What `facet inspect --json` prints. Fields that cannot be known are null; {@link Inspection} says the rest. */
export interface InspectionDocument extends Omit<Inspection, 'manifest'> {
  readonly schema: 'facet.inspection/v1';
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest: LikelyManifest | null;
}

/** A name that a manifest may have. */
const nameOf = (file: string): string =>
  basename(file)
    .replace(/\.onnx$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 63) || 'model';

function likelyManifest(file: string, { input, output, guesses }: ManifestGuess): LikelyManifest {
  return {
    document: {
      schema: 'facet.model/v1',
      name: nameOf(file),
      version: '1',
      input,
      crop: { scale: 1.5, square: true, outside: 'zero', interpolation: 'bilinear' },
      output,
    },
    guesses: [...guesses, 'crop'],
  };
}

export async function inspectCommand(file: string, { json }: { readonly json: boolean }): Promise<void> {
  const { inspection, size, digest } = await askEngine(file, async (engine, bytes) => ({
    inspection: await engine.inspect({ bytes }),
    size: bytes.length,
    digest: sha256(bytes),
  }));
  const { manifest, ...facts } = inspection;
  const document: InspectionDocument = {
    schema: 'facet.inspection/v1',
    file,
    bytes: size,
    sha256: digest,
    ...facts,
    manifest: manifest && likelyManifest(file, manifest),
  };
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : inspectionText(document));
}
