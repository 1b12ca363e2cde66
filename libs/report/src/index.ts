// Charts and the report as HTML and JUnit XML, and its table for the terminal.
export { epsilonText } from './format.js';
export { renderHtml } from './html/page.js';
export { hardeningFindings, renderHardeningHtml, renderHardeningTable } from './hardening/page.js';
export { renderJUnit } from './junit.js';
export type { Picture } from './picture.js';
export { renderStudyHtml, renderStudyTable } from './study/page.js';
export { renderTransferHtml, renderTransferTable } from './transfer/page.js';
export { renderTable, type TableOptions } from './table.js';
export { referenceOf } from './view.js';
