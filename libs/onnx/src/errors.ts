/** What can be wrong with a model: every refusal names the node, tensor or field, and what to do about it. */

export type ModelFault =
  | 'malformed' // not an ONNX file, or cut short
  | 'limit' // larger than what we accept
  | 'forbidden' // external data, custom domains, control flow: things that are refused on principle
  | 'invalid' // contradicts the ONNX standard or itself
  | 'unsupported'; // valid, but there is no rule for it here

export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    readonly fault: ModelFault,
    /** What is wrong, without the place. */
    readonly problem: string,
    /** The node, tensor or field that it is about. */
    readonly where?: string,
    options?: ErrorOptions,
  ) {
    super(where === undefined ? problem : `${where}: ${problem}`, options);
  }
}
