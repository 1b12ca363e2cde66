/** Tokens of a cluster's gateway, made in its store by whoever may write there: the first one has to come from somewhere. */
import type { api } from '@facet/contracts';
import { Tokens } from '@facet/gateway';
import { type Connections, connectStore } from '@facet/runtime';

/** The token, which is shown this once. */
export async function createClusterToken(connections: Connections, order: api.TokenOrder): Promise<string> {
  const store = connectStore(connections);
  try {
    return (await new Tokens(store).create(order)).token;
  } finally {
    store.close();
  }
}
