// Evaluation plans as data: presets by name, files that extend them, and what a plan costs.
export { checkPlan, planCost, type PlanCost } from './cost.js';
export { PlanFile } from './file.js';
export { isPreset, PRESETS, preset, type PresetName } from './presets.js';
