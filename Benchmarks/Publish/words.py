"""What the article says around the numbers, in its languages. Names of rows are the benchmark's own in all of them."""

ENGLISH = {
    "where": (
        "Taken {date} on {processor}, {cores} cores, {memory} GiB of memory, Linux {kernel}; load average before the run {load}. "
        "{runs} rounds, windows of {window:g} s after {warm_up:g} s of warm-up, open loops at {rate} requests a second, a soak of {soak} s."
    ),
    "judged_title": "What was promised, and what was measured",
    "judged_head": "| what | unit | {judged} | must be | verdict | between rounds |",
    "counts": "{passed} bars reached, {failed} missed, {open} open: what was seen is too little to tell. ",
    "one_round_each": "With a single round nothing can be said about noise.",
    "noisy": "Noisy in this run, and to be read as an order of magnitude: {names}.",
    "quiet": "No row was noisy in this run; of those with a single round that cannot be told.",
    "peers_title": "Beside others",
    "peers_legend": "In brackets: the number over {judged}'s of the same round.",
    "what": "what",
    "unit": "unit",
    "upstream": "upstream itself",
    "versions_title": "Versions",
    "is_absent": "absent, not installed on this machine",
    "remarks_title": "Remarks",
    "has_failed": "failed",
    "absent": "absent",
    "one_round": "one round",
    "is_noisy": ", noisy",
    "surely": "surely ",
    "verdicts": {"pass": "pass", "fail": "**fail**", "open": "open", None: ""},
}

CHINESE = {
    "where": (
        "测于 {date}，{processor}，{cores} 核，内存 {memory} GiB，Linux {kernel}；运行前负载 {load}。"
        "{runs} 轮，每次预热 {warm_up:g} 秒、测量 {window:g} 秒，开环每秒 {rate} 个请求，浸泡 {soak} 秒。"
    ),
    "judged_title": "承诺与实测",
    "judged_head": "| 项目 | 单位 | {judged} | 要求 | 结论 | 各轮之间 |",
    "counts": "{passed} 项达标，{failed} 项未达标，{open} 项未定：所见不足以下结论。",
    "one_round_each": "只有一轮，无从判断噪声。",
    "noisy": "本次噪声较大、只看数量级的有：{names}。",
    "quiet": "本次没有噪声较大的行；只有一轮的行无从判断。",
    "peers_title": "与其他代理对照",
    "peers_legend": "括号中是与同一轮中 {judged} 的比值。",
    "what": "项目",
    "unit": "单位",
    "upstream": "直连上游",
    "versions_title": "版本",
    "is_absent": "缺席，本机未安装",
    "remarks_title": "说明",
    "has_failed": "失败",
    "absent": "缺席",
    "one_round": "一轮",
    "is_noisy": "，噪声大",
    "surely": "必定 ",
    "verdicts": {"pass": "达标", "fail": "**未达标**", "open": "未定", None: ""},
}
