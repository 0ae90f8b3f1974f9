/// Durations as Go prints them, which is how OpenAI's `x-ratelimit-reset-*` fields say theirs: `20ms`, `1s`, `6m0s`,
/// `1h2m3s`, `8.64s`.
enum GoDuration {
    static func text(milliseconds: Int) -> String {
        if milliseconds <= 0 { return "0s" }
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60)
        var text = hours > 0 ? "\(hours)h\(minutes)m" : minutes > 0 ? "\(minutes)m" : ""
        text += "\(seconds)"
        if rest > 0 {
            var digits = String(repeating: "0", count: rest < 10 ? 2 : rest < 100 ? 1 : 0) + "\(rest)"
            while digits.hasSuffix("0") { digits.removeLast() }
            text += ".\(digits)"
        }
        return text + "s"
    }
}
