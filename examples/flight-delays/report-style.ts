// The style of the page around the charts, in light and dark.

export const pageStyle = `
:root{--page:#f6f7f9;--card:#fff;--text:#1b2230;--quiet:#566074;--line:#e1e5ec;--accent:#2f6cab}
@media (prefers-color-scheme:dark){:root{--page:#0b0e14;--card:#12161f;--text:#e9ecf3;--quiet:#a4aec2;--line:#262d3b;--accent:#7fb2e8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1056px;margin:0 auto;padding:56px 24px 72px}
header{margin-bottom:40px}
.eyebrow{margin:0 0 12px;color:var(--quiet);font-size:14px}
h1{margin:0 0 16px;max-width:24em;font-size:clamp(26px,4.2vw,40px);line-height:1.15;letter-spacing:-.02em;text-wrap:balance}
.lede{margin:0 0 28px;max-width:44em;color:var(--quiet);font-size:18px}
.tiles{display:flex;flex-wrap:wrap;gap:1px;margin:0;background:var(--line);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.tiles div{flex:1 1 168px;display:flex;flex-direction:column-reverse;justify-content:flex-end;padding:16px 18px;background:var(--card)}
.tiles dt{color:var(--quiet);font-size:13.5px}
.tiles dd{margin:0;font-size:25px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
section{margin-top:24px;padding:28px 28px 22px;background:var(--card);border:1px solid var(--line);border-radius:12px}
h2{margin:0 0 20px;max-width:38em;font-size:21px;line-height:1.3;letter-spacing:-.01em;text-wrap:balance}
figure{margin:0}
figcaption,.notes,.faults,section>p{max-width:52em;color:var(--quiet);font-size:14px}
figcaption{margin-top:14px}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:4px}
svg.chart{display:block;width:100%;min-width:720px;height:auto}
details{margin-top:14px;font-size:14px}
summary{color:var(--accent);cursor:pointer}
table{border-collapse:collapse;width:100%;margin:12px 0;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:6px 12px 6px 0;border-bottom:1px solid var(--line);text-align:right;font-weight:400;white-space:nowrap}
thead th{color:var(--quiet)}
th:first-child{text-align:left}
.notes,.faults{margin:16px 0 0;padding-left:1.2em}
.faults ul{padding-left:1.2em}
.notes li{margin-bottom:8px}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
@media (max-width:640px){main{padding:32px 14px}section{padding:20px 16px}}
@media print{body{background:none}section{break-inside:avoid}}
`.trim()
