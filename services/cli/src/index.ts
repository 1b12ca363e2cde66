// The facet command: the whole system in one process, or a cluster on this machine.
export { demo, type DemoOptions } from './demo.js';
export { evaluate, type EvaluateOptions } from './evaluate.js';
export { EXIT } from './finish.js';
export { demoSize } from './presets.js';
export { awaitConclusion } from './outcome.js';
export { evaluatingHandlers } from './system.js';
export { type Addresses, type Cluster, type ClusterOptions, startCluster } from './cluster/cluster.js';
export { type Access, prepareAccess } from './cluster/access.js';
export { bootstrap } from './cluster/bootstrap.js';
export { SERVICES } from './cluster/services.js';
export { createClusterToken } from './cluster/token.js';
