# accounts.awk - three accounts of the ledger, before and after: the busiest
# office that topped up, the busiest on the faultless platform, and `rescued`.
{ id = text("subject"); amount = micros(text("amount")); currency[id] = text("currency"); balance[id] = text("balance") }
text("kind") == "topup" { if (tops[id]++) topped[id] += amount; else opened[id] = amount }
text("kind") == "call" { calls[id]++; spent[id] -= amount }
text("kind") == "call" && id ~ /^acct-/ && tops[id] > 1 && calls[id] > calls[office] { office = id }
text("kind") == "call" && id ~ /^probe-/ && calls[id] > calls[probe] { probe = id }

function row(id,    unit, ups) {
    unit = " " currency[id]
    ups = tops[id] - 1 " top-up" (tops[id] == 2 ? " " : "s")
    printf "  %-10s %13s + %13s in %-10s - %13s for %3s = %13s\n", id, money(opened[id]) unit, money(topped[id]) unit, ups,
        money(spent[id]) unit, calls[id], balance[id] unit
}
END {
    printf "  %-10s %13s   %27s   %21s   %13s\n", "account", "began with", "bought", "charged calls", "ended with"
    row(office)
    row(probe)
    row("rescued")
}
