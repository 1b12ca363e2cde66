/** A published model as it travels to the worker threads: bytes once in shared memory, the rest as plain data. */
import type { AttackedModel, LinearProbe } from '@facet/adversary';
import type { ModelManifest } from '@facet/contracts';

export interface ModelSource {
  /** SHA-256 of the file; with the manifest it is what sessions are cached under. */
  readonly digest: string;
  /** The ONNX file, in shared memory so that no worker's copy crosses a thread boundary. */
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
}

/** A published model that nobody wants in memory but the process that checks it. */
export interface ModelFile extends Pick<ModelSource, 'digest' | 'manifest'> {
  /** Absolute. */
  readonly path: string;
}

/** A model together with what its data says about it: everything that an attack needs. */
export interface AttackSource extends ModelSource {
  /** Names the fitted priors and probes; sessions that hold them are cached under it. */
  readonly fit: string;
  readonly attacked: AttackedModel;
  readonly probes: readonly FacetProbe[];
}

export interface FacetProbe {
  readonly facet: string;
  readonly feature: string;
  readonly probe: LinearProbe;
}

/** The tensor that a probe's logits get in the graph. */
export const probeTensor = (facet: string): string => `facet.probe.${facet}`;

/**
 * What sessions, models and verdicts are known by. One file may be published twice with other manifests, and one model
 * fitted on several datasets; `fit` names the probes.
 */
export const identityOf = ({ digest, manifest }: ModelSource, fit = ''): string =>
  JSON.stringify([digest, fit, manifest]);

/** Puts a file into memory that threads share. */
export function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}
