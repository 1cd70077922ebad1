# lib.awk - callfold's records, a line each, read with awk alone: members have
# one order and no white space between them. Money is counted in micros, whole
# numbers that a double holds exactly up to 9 billion units.

# The first member of that name that holds a text; "" without one.
function text(name,    at, rest) {
    at = index($0, "\"" name "\":\"")
    if (!at) return ""
    rest = substr($0, at + length(name) + 4)
    return substr(rest, 1, index(rest, "\"") - 1)
}
function number(name) {
    if (!match($0, "\"" name "\":-?[0-9]+")) return ""
    return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0
}
function type(    word) {
    word = text("type")
    sub(/^callfold\./, "", word)
    return word
}
# Of an output: the line of the events file that caused it, from 0.
function cause(    part) {
    split(text("id"), part, ":")
    return part[2] + 0
}
function clock() { return substr(text("time"), 12, 12) }

function commas(n,    out) {
    for (n = sprintf("%.0f", n); length(n) > 3; n = substr(n, 1, length(n) - 3))
        out = "," substr(n, length(n) - 2) out
    return n out
}
function micros(amount,    sign, part) {
    sign = sub(/^-/, "", amount) ? -1 : 1
    split(amount, part, ".")
    return sign * (part[1] * 1000000 + substr(part[2] "000000", 1, 6))
}
function money(m,    out) {
    out = sprintf("%.0f", m < 0 ? -m : m)
    while (length(out) < 7) out = "0" out
    out = substr(out, 1, length(out) - 6) "." substr(out, length(out) - 5)
    sub(/0+$/, "", out)
    sub(/\.$/, "", out)
    return (m < 0 ? "-" : "") out
}
