/** Rows of samples as Parquet: readable by everybody's tools, and the same bytes for the same rows. */
import { CleanScore, Outcome } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { parquetReadObjects } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';

type ColumnType = 'STRING' | 'DOUBLE' | 'BOOLEAN';

const OUTCOME_COLUMNS: Readonly<Record<keyof Outcome, ColumnType>> = {
  key: 'STRING',
  label: 'STRING',
  species: 'STRING',
  illumination: 'STRING',
  cleanScore: 'DOUBLE',
  adversarialScore: 'DOUBLE',
  correct: 'BOOLEAN',
  fooled: 'BOOLEAN',
  linf: 'DOUBLE',
  l2: 'DOUBLE',
};

const SCORE_COLUMNS: Readonly<Record<keyof CleanScore, ColumnType>> = {
  key: 'STRING',
  split: 'STRING',
  label: 'STRING',
  species: 'STRING',
  illumination: 'STRING',
  attributes: 'STRING',
  subject: 'STRING',
  score: 'DOUBLE',
};

function write<Row extends { readonly key: string }>(
  columns: Readonly<Record<keyof Row, ColumnType>>,
  rows: readonly Row[],
): Uint8Array {
  for (const row of rows)
    for (const [name, value] of Object.entries(row))
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new InputError(`${name} is ${value}`, { field: row.key });
  const columnData = Object.entries<ColumnType>(columns).map(([name, type]): ColumnSource => ({
    name,
    type,
    data: rows.map((row) => row[name as keyof Row]),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'facet' }));
}

async function read<Row>(bytes: Uint8Array, file: string, parse: (row: unknown) => Row): Promise<Row[]> {
  try {
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
    return rows.map((row) => parse(row));
  } catch (cause) {
    throw new InputError('is not a Parquet file of the rows that belong here', { file, cause });
  }
}

/** Errors: InputError naming a sample's key where one of its numbers is not finite, as broken models give them. */
export const writeOutcomes = (rows: readonly Outcome[]): Uint8Array => write(OUTCOME_COLUMNS, rows);
/** Errors: InputError naming the file where it holds anything but outcomes. */
export const readOutcomes = (bytes: Uint8Array, file: string): Promise<Outcome[]> =>
  read(bytes, file, (row) => Outcome.parse(row));

/** Errors: InputError naming a sample's key where its score is not finite. */
export const writeScores = (rows: readonly CleanScore[]): Uint8Array => write(SCORE_COLUMNS, rows);
/** Errors: InputError naming the file where it holds anything but scores. */
export const readScores = (bytes: Uint8Array, file: string): Promise<CleanScore[]> =>
  read(bytes, file, (row) => CleanScore.parse(row));
