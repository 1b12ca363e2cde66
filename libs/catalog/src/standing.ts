/** Standing evaluations: which plan every newly published model of a name goes through. */
import { keys, type Ref, StandingEvaluation } from '@facet/contracts';
import { type ObjectStore, readJson, writeJson } from '@facet/store';

export const matches = (standing: StandingEvaluation, model: Ref): boolean =>
  (standing.version === undefined || standing.version === model.version) &&
  (standing.models.endsWith('*')
    ? model.name.startsWith(standing.models.slice(0, -1))
    : model.name === standing.models);

export const saveStanding = async (store: ObjectStore, standing: StandingEvaluation): Promise<void> => {
  await writeJson(store, keys.standing.one(standing.name), standing);
};

/** Those that a model's publication starts, in the order of their keys. */
export async function standingFor(store: ObjectStore, model: Ref): Promise<StandingEvaluation[]> {
  const found: StandingEvaluation[] = [];
  for await (const { key } of store.list(keys.standing.all)) {
    const standing = await readJson(store, key, (value) => StandingEvaluation.parse(value));
    if (standing !== undefined && matches(standing, model)) found.push(standing);
  }
  return found;
}
