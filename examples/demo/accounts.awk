# accounts.awk - three accounts of the ledger, before and after: the busiest
# office that topped up, the busiest of the faultless platform's, and `rescued`.
{ id = text("subject"); amount = micros(text("amount")); currency[id] = text("currency"); balance[id] = text("balance") }
text("kind") == "topup" { if (tops[id]++) topped[id] += amount; else opened[id] = amount }
text("kind") == "call" { calls[id]++; spent[id] -= amount }
text("kind") == "call" && id ~ /^acct-/ && tops[id] > 1 && calls[id] > calls[office] { office = id }
text("kind") == "call" && id ~ /^probe-/ && calls[id] > calls[probe] { probe = id }

function row(id,    unit) {
    unit = " " currency[id]
    printf "  %-11s %15s  %3d  %15s  %4d %16s  %16s\n", id, money(opened[id]) unit, tops[id] - 1, money(topped[id]) unit,
        calls[id], money(spent[id]) unit, balance[id] unit
}
END {
    printf "  %-11s %15s  %20s  %21s  %16s\n", "account", "began with", "topped up, times", "paid for, calls", "ended with"
    row(office)
    row(probe)
    row("rescued")
}
