export { ADDON_KINDS, type Addon, type AddonKind, findAddon, HOW_TO_BUILD } from './find.js';
export { buildAddon } from './build.js';
