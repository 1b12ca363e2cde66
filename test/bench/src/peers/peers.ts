/** What parts measure against, made when it is first asked for. */
import { referenceNetwork, type ReferenceNetwork } from './networks.js';
import { Conversation } from './conversation.js';
import { peerFile } from './cache.js';
import { python } from './python.js';

export class Peers {
  readonly #versions: Record<string, string> = {};
  #python: Promise<string> | undefined;

  constructor(private readonly log: (line: string) => void) {}

  /** Of the peers that were used, by package. */
  get versions(): Readonly<Record<string, string>> {
    return this.#versions;
  }

  /** A reference network as ONNX, with PyTorch's outputs and gradients. @throws NoPeer where Python cannot be had */
  async network(name: string): Promise<ReferenceNetwork> {
    const network = await referenceNetwork(await this.#interpreter(), name, this.log);
    Object.assign(this.#versions, network.versions);
    return network;
  }

  /**
   * Starts a script of `peers/` that stays, with the packages of another list there where it is named. The caller closes
   * it. @throws NoPeer where Python or the packages cannot be had
   */
  async conversation(script: string, args: readonly string[], further?: string): Promise<Conversation> {
    const bin = await (further === undefined ? this.#interpreter() : python(this.log, further));
    return new Conversation(script, bin, [peerFile(script), ...args]);
  }

  /** Names peers that were used, for the report. */
  used(versions: Readonly<Record<string, string>>): void {
    Object.assign(this.#versions, versions);
  }

  #interpreter(): Promise<string> {
    this.#python ??= python(this.log);
    return this.#python;
  }
}
