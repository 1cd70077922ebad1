/* probe.c - what the code says, for check.py to hold the schemas against.
 *
 *   probe words      reasons.h as one JSON object: each list as its words with a
 *                    space behind each, the policy's ranges, the topic of each output
 *   probe outputs    one line for each sample output (tests/unit/encode_outputs.h)
 *   probe decode     stdin to stdout, line by line: "ok" or the reason, a tab and
 *                    the detail as a JSON string
 *   probe reencode   likewise: the line as event_encode writes it, or the refusal
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "events/decode.h"
#include "events/encode.h"
#include "tests/unit/encode_outputs.h"

static void words(void)
{
#define X(symbol, word, ...) word " "
#define LIST(name, words)    "\"" name "\":\"" words "\","
    /* clang-format off */
    static const char lists[] = LIST("event_types", EVENT_TYPES(X)) LIST("output_types", OUTPUT_TYPES(X))
        LIST("output_topics", OUTPUT_TOPICS(X)) LIST("reject_reasons", REJECT_REASONS(X))
        LIST("denial_reasons", DENIAL_REASONS(X)) LIST("cutoff_reasons", CUTOFF_REASONS(X))
        LIST("notify_kinds", NOTIFY_KINDS(X)) LIST("entry_kinds", ENTRY_KINDS(X))
        LIST("call_endings", CALL_ENDINGS(X)) LIST("member_roles", MEMBER_ROLES(X))
        LIST("call_directions", CALL_DIRECTIONS(X)) LIST("rate_statuses", RATE_STATUSES(X))
        LIST("policy_maps", POLICY_MAPS(X));
    /* clang-format on */
#undef X
#define X(symbol, word, preset, least, most) {word, preset, least, most},
    static const struct {
        const char *name;
        long long preset, least, most;
    } numbers[] = {POLICY_NUMBERS(X)};
#undef X
    printf("{%s\"policy_numbers\":{", lists);
    for (size_t i = 0; i < POLICY_NUMBER_COUNT; i++)
        printf("%s\"%s\":{\"default\":%lld,\"minimum\":%lld,\"maximum\":%lld}", i ? "," : "", numbers[i].name,
               numbers[i].preset, numbers[i].least, numbers[i].most);
    puts("},\"topic_of\":{");
    for (int type = 0; type < OUTPUT_TYPE_COUNT; type++)
        printf("%s\"%s\":\"%s\"", type ? "," : "", output_type_name((enum output_type)type),
               output_topic_name(output_topic_of((enum output_type)type)));
    puts("}}");
}

static void outputs(struct buffer *buffer)
{
    for (size_t i = 0; i < OUTPUT_SAMPLES; i++) {
        struct output_list list = {SAMPLE_PARTITION, SAMPLE_OFFSET, SAMPLE_TIME_MS, 1, &output_samples[i].output};
        output_encode(buffer, &list, 0);
        buffer_text(buffer, "\n");
    }
}

static void answer(struct buffer *buffer, struct decoder *decoder, struct text line, bool again)
{
    struct event event;
    struct decode_error error;
    if (!event_decode(decoder, line, &event, &error)) {
        buffer_text(buffer, reject_reason_name(error.reason));
        buffer_text(buffer, "\t");
        buffer_json_string(buffer, text_of(error.detail)); /* it may repeat a newline of the input */
    } else if (again) {
        event_encode(buffer, &event, TEXT_LIT("1"), TEXT_LIT("/probe"));
    } else {
        buffer_text(buffer, "ok");
    }
    buffer_text(buffer, "\n");
}

static void answer_lines(struct buffer *buffer, bool again)
{
    struct decoder *decoder = decoder_new();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) > 0) {
        size_t without_newline = (size_t)len - (line[len - 1] == '\n');
        answer(buffer, decoder, (struct text){line, without_newline}, again);
    }
    free(line);
    decoder_free(decoder);
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    struct buffer buffer = {0};
    if (strcmp(what, "words") == 0)
        words();
    else if (strcmp(what, "outputs") == 0)
        outputs(&buffer);
    else if (strcmp(what, "decode") == 0 || strcmp(what, "reencode") == 0)
        answer_lines(&buffer, *what == 'r');
    else {
        fputs("usage: probe words|outputs|decode|reencode\n", stderr);
        return EX_USAGE;
    }
    size_t written = buffer.len ? fwrite(buffer.at, 1, buffer.len, stdout) : 0;
    bool whole = written == buffer.len && fflush(stdout) == 0;
    buffer_free(&buffer);
    return whole ? EX_OK : EX_IOERR;
}
