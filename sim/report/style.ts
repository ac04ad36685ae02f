/** Style: what does the report look like? */
export const reportStyle = `
:root { color-scheme: light dark; --bg: #fbfaf8; --ink: #22211f; --soft: #75716a; --line: #e4e0d8;
  --panel: #fff; --up: #cfe3d4; --paused: #f0d9a8; --connecting: #e2e0ee; --online: #bcd3ec;
  --link: #8fb99b; --fault: #d9534f; --plain: #55606e; --good: #2e7d4f; --warn: #c77700;
  --bad: #c62828; --table: #7b5ea7; --bounced: #c77700; --unsettled: #c62828; --delivered: #7a8ca3; }
@media (prefers-color-scheme: dark) { :root { --bg: #1b1c1e; --ink: #e8e6e1; --soft: #97938c;
  --line: #34363a; --panel: #232528; --up: #2c4434; --paused: #5d4a1f; --connecting: #3a3850;
  --online: #2b425c; --link: #4f8360; --plain: #a4afbd; --good: #69c08c; --warn: #e5a244;
  --bad: #f0706c; --table: #b79be0; --bounced: #e5a244; --unsettled: #f0706c; --delivered: #6d7f96; } }
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--bg); color: var(--ink);
  font: 13px/1.45 system-ui, sans-serif; }
header { padding: 8px 14px; border-bottom: 1px solid var(--line); display: flex; gap: 14px;
  flex-wrap: wrap; align-items: baseline; }
h1 { font-size: 15px; margin: 0; }
h2 { font-size: 12px; margin: 14px 0 4px; color: var(--soft); font-weight: 600; }
code, pre, .mono { font: 12px/1.4 ui-monospace, monospace; }
.soft { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
.bar { display: flex; gap: 6px; align-items: center; flex-wrap: wrap; margin-left: auto; }
button, select { font: inherit; color: inherit; background: var(--panel); padding: 2px 8px;
  border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
main { flex: 1; display: flex; min-height: 0; }
#stage { flex: 1; min-width: 0; min-height: 0; display: flex; flex-direction: column; }
#axis { height: 34px; flex: none; display: block; width: 100%; border-bottom: 1px solid var(--line); }
#scroll { flex: 1; overflow-y: auto; overflow-x: hidden; position: relative; }
#lanes { display: block; width: 100%; cursor: crosshair; touch-action: none; }
aside { width: 380px; flex: none; overflow: auto; padding: 4px 14px 20px; background: var(--panel);
  border-left: 1px solid var(--line); }
aside ul { list-style: none; margin: 0; padding: 0; }
#details { max-height: 40vh; overflow-y: auto; }
aside li { padding: 2px 0; overflow-wrap: anywhere; }
aside li[data-at] { cursor: pointer; }
aside li[data-at]:hover { text-decoration: underline; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: 1px 6px 1px 0; font-weight: 400; vertical-align: top; }
th { color: var(--soft); }
td:nth-child(2) { white-space: nowrap; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 8px; border-radius: 2px;
  vertical-align: -2px; }
aside > details { margin-top: 14px; }
summary { cursor: pointer; }
.cell-same { color: var(--good); } .cell-behind { color: var(--warn); }
.cell-wrong { color: var(--bad); font-weight: 600; } .cell-none { color: var(--soft); }
@media (max-width: 800px) { main { flex-direction: column; } aside { width: auto; max-height: 45%; } }
`;
