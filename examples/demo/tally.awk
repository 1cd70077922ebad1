# tally.awk - how often each word of a member occurs, in the lines that hold
# `pattern`, most frequent first, on at most `most` lines.
# -v label= -v member= -v pattern= -v most=
index($0, pattern) {
    word = text(member)
    sub(/^callfold\./, "", word)
    if (!(word in n)) words[++count] = word
    n[word]++
    all++
}
END {
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && n[words[j]] > n[words[j - 1]]; j--) {
            word = words[j]
            words[j] = words[j - 1]
            words[j - 1] = word
        }
    out = sprintf("  %-13s%7s ", label, commas(all))
    width = margin = length(out)
    for (i = 1; i <= count; i++) {
        item = " " words[i] " " commas(n[words[i]]) (i < count ? "," : "")
        if (width + length(item) > 94) {
            if (++lines == most) {
                out = out " and " count - i + 1 " more"
                break
            }
            out = out "\n" sprintf("%" margin "s", "")
            width = margin
        }
        out = out item
        width += length(item)
    }
    print out
}
