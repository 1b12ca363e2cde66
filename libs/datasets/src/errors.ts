/** What can be wrong with a dataset: one error, which always names the file and, where there is one, the field. */

export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  constructor(
    problem: string,
    /** The file or tar entry that it is about, as the dataset names it. */
    readonly file: string,
    /** The field inside it, such as `samples[3].file`. */
    readonly field?: string,
    options?: ErrorOptions,
  ) {
    super([file, field, problem].filter((part) => part !== undefined && part !== '').join(': '), options);
  }
}
