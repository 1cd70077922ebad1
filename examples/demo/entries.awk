# entries.awk - a file an entry with what its hash is taken of, so that one
# sha256sum can hash them all.   -v dir=
{
    file = sprintf("%s/%08d", dir, NR)
    printf "%s\n%s", text("prev"), text("line") >file
    close(file)
}
