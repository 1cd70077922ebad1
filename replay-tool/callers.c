/* callers.c - see callers.h. */
#include "replay-tool/callers.h"

#include <stdlib.h>

#include "processor/fold/state.h"
#include "replay-tool/interrupt.h"
#include "terminal/message.h"

static void add(struct callers *callers, const struct log_record *record, const struct event *event)
{
    for (size_t i = 0; i < callers->count; i++)
        if (name_is(&callers->items[i].account, event->subject))
            return;
    callers->items = must_alloc(realloc(callers->items, (callers->count + 1) * sizeof *callers->items));
    callers->items[callers->count++] =
        (struct caller){name_of(event->subject), {record->partition, record->record.offset, event->time_ms}};
}

static void look(struct callers *callers, struct decoder *decoder, const struct log_record *record, struct text call)
{
    struct event event;
    struct decode_error fault;
    if (event_decode(decoder, record->record.value, &event, &fault) && event.type == EVENT_CALL_STARTED &&
        text_equal(event.data.call_started.call_id, call))
        add(callers, record, &event);
}

static bool read_all(struct callers *callers, struct source *source, struct decoder *decoder, struct text call,
                     struct store_error *error)
{
    struct progress progress;
    struct source_batch batch;
    enum source_answer answer;
    int64_t records = 0;
    progress_begin(&progress, "looking for the call", "events");
    while ((answer = source->does->read(source, &batch)) == SOURCE_RECORDS && !interrupt_check(error)) {
        for (size_t i = 0; i < batch.count; i++)
            look(callers, decoder, &batch.records[i], call);
        records += (int64_t)batch.count;
        progress_show(&progress, batch.done, batch.total, records);
    }
    progress_end(&progress);
    if (answer == SOURCE_FAILED)
        *error = source->error;
    return answer == SOURCE_END;
}

bool callers_find(struct callers *callers, const struct source_options *from, struct text call,
                  struct store_error *error)
{
    struct source *source = source_open(from, error);
    if (source == NULL)
        return false;
    struct decoder *decoder = decoder_new();
    bool is_read = read_all(callers, source, decoder, call, error);
    callers->partition_count = source->partition_count;
    decoder_free(decoder);
    source->does->close(source);
    return is_read;
}
