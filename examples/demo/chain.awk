# chain.awk - the ledger's hashes and sums. Files in this order: the hashes that
# sha256sum found, the ledger, the balances. Fails when anything is wrong.
FILENAME ~ /recomputed/ { hash[++hashes] = $1; next }
FILENAME ~ /ledger/ {
    entries++
    prev = entries == 1 ? sprintf("%064d", 0) : hash[entries - 1]
    if (text("hash") != hash[entries] || text("prev") != prev) broken++
    sum[text("subject")] += micros(text("amount"))
    next
}
{ balance[text("subject")] = micros(text("balance")) }
END {
    for (id in sum) { accounts++; if (sum[id] != balance[id]) off++ }
    printf "  %s entries hashed again by sha256sum, each together with the hash before it: %d differ.\n", commas(entries), broken
    printf "  %s accounts: the sum of an account's amounts and its balance differ in %d.\n", commas(accounts), off
    exit broken + off + (entries != hashes) > 0
}
