/** The page's style sheet: one column of quiet type, light or dark as the reader's system is, and fit to print. */
import { DARK, HEAT_RULES, LIGHT, variables } from './palette.js';

const RULES = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;
font-variant-numeric:tabular-nums;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,.top{max-width:1080px;margin:0 auto;padding:0 24px}
.top{padding-top:56px}
h1,h2,h3{line-height:1.2;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:clamp(26px,5vw,38px);font-weight:650;letter-spacing:-.02em;margin:4px 0 6px}
h2{font-size:22px;font-weight:630;letter-spacing:-.01em;margin:0 0 6px}
h3{font-size:15px;font-weight:600;margin:26px 0 8px}
p{margin:0 0 12px;max-width:72ch;overflow-wrap:anywhere}
a{color:var(--link)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{margin:8px 0;padding:14px;overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:8px}
section{margin:52px 0 0}
.eyebrow{font-size:13px;letter-spacing:.06em;text-transform:uppercase;color:var(--quiet);margin:0}
.quiet,.lead{color:var(--quiet)}
.lead{margin-bottom:16px}
.summary{font-size:19px;line-height:1.55;max-width:64ch;margin-top:28px}
nav{margin-top:28px;padding:12px 0;border:solid var(--line);border-width:1px 0;font-size:14px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:0;padding:0}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.verdict{margin:26px 0 0;padding:18px 22px;background:var(--panel);border:1px solid var(--line);border-left:5px solid var(--quiet);
border-radius:8px}
.verdict p{margin:0}
.verdict .word{font-size:20px;font-weight:640}
.verdict.passed{border-left-color:var(--pass)}.verdict.failed{border-left-color:var(--fail)}
.passed .word,.pass{color:var(--pass)}.failed .word,.fail{color:var(--fail)}
.verdict table{margin-top:12px}
.mind{margin:24px 0 0;padding:16px 22px;background:var(--mind-panel);border-left:5px solid var(--mind);border-radius:8px}
.mind h2{font-size:16px;color:var(--mind)}
.mind ul{margin:0;padding-left:20px}
.mind li{overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:0 0 8px}
table{border-collapse:collapse;font-size:14px}
caption{text-align:left;white-space:nowrap;color:var(--quiet);font-size:14px;padding:0 0 8px;caption-side:top}
th,td{padding:7px 12px;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line)}
th{font-weight:560}
thead th{color:var(--quiet);font-weight:500;font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap}
.pass,.fail,td.w{white-space:nowrap}
td.long{overflow-wrap:anywhere;min-width:12em}
.plain th:first-child,.plain td:first-child{padding-left:0}
.grid{border-collapse:separate;border-spacing:2px}
.grid th,.grid td{border:0}
.grid thead th{text-align:center;vertical-align:bottom;padding:4px}
.grid thead th:nth-child(-n+2):not([colspan]){text-align:left;padding:4px 10px 4px 0}
.grid td.opens{border-left:9px solid var(--paper);background-clip:padding-box}
.grid tbody th{padding:4px 10px 4px 0;white-space:nowrap}
.grid tbody th.objective{font-weight:400;color:var(--quiet)}
.grid tbody+tbody tr:first-child>*{border-top:5px solid var(--paper);background-clip:padding-box}
.grid td{min-width:66px;padding:5px 8px;text-align:center;border-radius:5px;line-height:1.25}
.grid.dense td{min-width:56px;padding:5px}
.beside{display:flex;flex-wrap:wrap;gap:22px 56px}
.beside .scroll{max-width:100%}
.grid td.none{color:var(--quiet)}
.grid td small{display:block;font-size:11px;white-space:nowrap}
.scale{display:flex;align-items:center;gap:8px;font-size:13px;color:var(--quiet);margin:0 0 14px}
.scale span.steps{display:inline-flex}
.scale i{display:inline-block;width:20px;height:12px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(270px,100%),1fr));gap:22px 26px;margin-top:10px}
figure{margin:0;break-inside:avoid}
figcaption{font-size:14px;margin-bottom:6px;overflow-wrap:anywhere}
figcaption b{font-weight:600}
.charts svg{display:block;width:100%;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;font-size:14px;margin:0;padding:0;list-style:none}
.legend svg{vertical-align:middle;margin-right:7px}
.bar{display:inline-block;vertical-align:middle;width:90px;height:9px;margin-left:10px;border-radius:3px;background:var(--line);overflow:hidden}
.bar i{display:block;height:100%;border-radius:3px}
.bar .facet{background:var(--facet)}.bar .sfa{background:var(--sfa)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(130px,1fr));gap:18px 20px;margin:0 0 20px}
.figures div{border-top:2px solid var(--line);padding-top:8px}
.figures dt{font-size:13px;color:var(--quiet)}
.figures dd{margin:0;font-size:21px;font-weight:600;letter-spacing:-.01em}
.cases{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(460px,100%),1fr));gap:30px 36px}
.cases .three{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:0 0 8px;padding:0}
.cases .three div{font-size:12px;color:var(--quiet)}
.cases img{display:block;width:100%;height:auto;border-radius:6px;border:1px solid var(--line);background:var(--line);margin-bottom:3px}
.terms{display:grid;grid-template-columns:minmax(120px,max-content) 1fr;gap:8px 26px;margin:0;font-size:15px}
.terms dt{font-weight:560}
.terms dd{margin:0;max-width:72ch;overflow-wrap:anywhere}
details{margin:14px 0}
summary{cursor:pointer;font-size:14px;color:var(--link)}
footer{max-width:1080px;margin:56px auto 0;padding:18px 24px 48px;color:var(--quiet);font-size:13px}
@media (max-width:600px){
main,.top{padding-left:16px;padding-right:16px}
.top{padding-top:28px}
section{margin-top:42px}
.summary{font-size:17px}
.terms{grid-template-columns:1fr;gap:2px}
.terms dd{margin-bottom:10px}
table{font-size:13px}
th,td{padding:7px 5px}
td.long{min-width:7em}
.verdict{padding:16px}
.bar{width:44px;margin-left:6px}
.grid td,.grid.dense td{min-width:46px;padding:5px 2px}
.grid tbody th,.grid thead th:nth-child(-n+2):not([colspan]){padding-right:5px}
}
@media print{
:root{--paper:#fff}
body{font-size:11pt;background:none}
nav{display:none}
main,.top{max-width:none;padding:0}
section{margin-top:26px}
h2,h3,.lead,caption{break-after:avoid}
tr,.grid tbody,.verdict,.mind{break-inside:avoid}
.scroll{overflow:visible}
details::details-content{content-visibility:visible;display:block}
}
`;

export const STYLE = [
  `:root{color-scheme:light dark;${variables(LIGHT)}}`,
  `@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`,
  HEAT_RULES,
  RULES,
].join('\n');
