#include "style.hpp"

namespace xsift::report {

std::string palette(const std::string& selector) {
    const std::string light =
        "{--ink:#1b2733;--faint:#566474;--rule:#d5dce3;--paper:#fff;--card:#f4f6f8;--t0:#0b6cb0;--t1:#c2410c;"
        "--t2:#15803d;--t3:#7e22ce;--t4:#64748b;--t5:#be123c}";
    const std::string dark =
        "{--ink:#e4eaf0;--faint:#9aa8b5;--rule:#37424d;--paper:#12181e;--card:#1b232b;--t0:#6cb8f0;--t1:#"
        "fb923c;"
        "--t2:#4ade80;--t3:#c084fc;--t4:#94a3b8;--t5:#fb7185}";
    return selector + light + "@media screen and (prefers-color-scheme:dark){" + selector + dark + "}";
}

const char* const plot_style =
    "svg text{font:11.5px system-ui,sans-serif;fill:var(--ink)}.frame{fill:none;stroke:var(--faint)}"
    ".grid{stroke:var(--rule);stroke-width:.6;fill:none}.t0{--c:var(--t0)}.t1{--c:var(--t1)}.t2{--c:var(--t2)"
    "}"
    ".t3{--c:var(--t3)}.t4{--c:var(--t4)}.t5{--c:var(--t5)}.data{fill:none;stroke:var(--c);stroke-width:1.3}"
    ".line{fill:none;stroke:var(--c);stroke-width:1.5;stroke-linejoin:round}.rule{fill:none;stroke:var(--c)}"
    ".ring{fill:none;stroke:var(--c);stroke-width:1.4}.dot{fill:var(--c)}.bar{fill:var(--c);stroke:none}"
    ".dash{stroke-dasharray:5 3}.faint{opacity:.35}svg text.note{fill:var(--c);paint-order:stroke;"
    "stroke:var(--paper);stroke-width:3px}";

const char* const page_style = R"(*{box-sizing:border-box}html{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:76rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:.3rem 0;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--rule);padding-bottom:.2rem}
h3{font-size:.95rem;margin:0 0 .2rem}p{margin:.4rem 0;max-width:60rem}a{color:var(--t0)}nav{margin:.6rem 0;font-size:.9rem}nav a{margin-right:1rem;white-space:nowrap}
.sub,.missing,figcaption{color:var(--faint)}.sub,figcaption,li{overflow-wrap:anywhere}.verdict{font-size:1.15rem;margin:.8rem 0;max-width:56rem;overflow-wrap:anywhere}
.warn{border-left:4px solid var(--t1);padding:.1rem .8rem;margin:.8rem 0;background:var(--card)}.warn ul{margin:.3rem 0;padding-left:1.1rem}
.missing{font-size:.9rem}.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.5rem;margin:1rem 0;padding:0}
.facts div{background:var(--card);border-radius:.4rem;padding:.4rem .7rem}.facts dt{color:var(--faint);font-size:.8rem}.facts dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr));gap:1.2rem 2rem;margin:1rem 0}
figure{margin:0;break-inside:avoid;max-width:36rem}figure>svg{width:100%;height:auto;display:block}figcaption{font-size:.85rem}
.scroll{overflow-x:auto;margin:.8rem 0}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.82rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--rule)}
td.wide,td a{overflow-wrap:anywhere}td.wide,td:has(a){min-width:7rem}th{color:var(--faint);font-weight:600}.chosen td{font-weight:600}
pre{font-size:.8rem;white-space:pre-wrap;overflow-wrap:anywhere}
@media(max-width:640px){.scroll{overflow-x:visible}table.cards,.cards tbody,.cards tr,.cards td,.cards caption{display:block}.cards thead{display:none}
.cards tr{border:1px solid var(--rule);border-radius:.4rem;margin:.5rem 0;padding:.3rem .6rem}.cards td{display:flex;justify-content:space-between;gap:1rem;white-space:normal;text-align:right;border:0;padding:.1rem 0;overflow-wrap:anywhere}
.cards td::before{content:attr(data-label);color:var(--faint);font-weight:400;text-align:left;flex:none;max-width:50%}.cards td.wide{min-width:0}.cards td.none{display:none}.cards tr.chosen{border-color:var(--t1)}
.facts{grid-template-columns:1fr 1fr}}
@page{margin:12mm}
@media print{body{max-width:none;font-size:10pt;padding:0}nav{display:none}.scroll{overflow:visible}h2{break-after:avoid}tr{break-inside:avoid}table{font-size:6.7pt}thead,caption{break-after:avoid}tbody tr:first-child{break-before:avoid}td.wide,td:has(a){min-width:5.4rem}.figures{grid-template-columns:1fr 1fr}}
)";

}  // namespace xsift::report
