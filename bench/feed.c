/* feed.c - see feed.h. */
#include "bench/feed.h"

#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "bench/bench.h"

#define NUMBER "+12125550100"
#define OWNER  "ann"

void feed_open(struct feed *feed)
{
    *feed = (struct feed){.decoder = decoder_new(), .fold = fold_new(0, 0, NULL)};
    if (feed->decoder == NULL)
        abort();
}

void feed_close(struct feed *feed)
{
    fold_free(feed->fold);
    decoder_free(feed->decoder);
}

static void make(struct feed *feed, struct feed_event *event, const char *type, long account, const char *data)
{
    char subject[64] = "";
    struct decode_error error;
    if (account >= 0)
        snprintf(subject, sizeof subject, "\"subject\":\"account-%07ld\",", account);
    int len = snprintf(event->line, sizeof event->line,
                       "{\"specversion\":\"1.0\",\"id\":\"%012" PRId64
                       "\",\"source\":\"/pbx/par1\",\"type\":\"callfold.%s\",\"time\":\"2026-11-23T08:00:00.000Z\","
                       "%s\"data\":{%s}}",
                       feed->offset, type, subject, data);
    event->hint = (struct fold_hint){.is_report = false};
    event->record =
        (struct fold_record){.offset = feed->offset++, .value = {event->line, (size_t)len}, .hint = &event->hint};
    if (!event_decode(feed->decoder, event->record.value, &event->event, &error))
        errx(EX_SOFTWARE, "%s: %s", event->line, error.detail);
}

void feed_make(struct feed *feed, struct feed_event *event, const char *type, long account, const char *data, ...)
{
    char text[FEED_LINE_MAX / 2];
    va_list arguments;
    va_start(arguments, data);
    vsnprintf(text, sizeof text, data, arguments);
    va_end(arguments);
    make(feed, event, type, account, text);
}

void feed_fold(struct feed *feed, const struct feed_event *event)
{
    struct output_list outputs;
    const char *broken;
    fold_step(feed->fold, &event->record, &event->event, NULL, &outputs);
    if (fold_is_broken(feed->fold, &broken))
        errx(EX_SOFTWARE, "%s: %s", event->line, broken);
    for (size_t i = 0; i < outputs.count; i++)
        feed->outputs[outputs.items[i].type]++;
    if (feed->outputs[OUTPUT_EVENT_REJECTED] + feed->outputs[OUTPUT_CALL_DENIED] > 0)
        errx(EX_SOFTWARE, "rejected or denied: %s", event->line);
}

double feed_say(struct feed *feed, const char *type, long account, const char *data, ...)
{
    static struct feed_event event;
    char text[FEED_LINE_MAX / 2];
    va_list arguments;
    va_start(arguments, data);
    vsnprintf(text, sizeof text, data, arguments);
    va_end(arguments);
    make(feed, &event, type, account, text);
    double begin = cpu_ns();
    feed_fold(feed, &event);
    return cpu_ns() - begin;
}

void feed_deck(struct feed *feed, const char *price)
{
    feed_say(feed, "ratedeck.opened", -1,
             "\"deck_id\":\"d\",\"currency\":\"USD\",\"effective_at\":\"2026-11-01T00:00:00Z\","
             "\"origins\":[{\"origin\":\"US\",\"country\":\"US\",\"currency\":\"USD\"}]");
    feed_say(feed, "ratedeck.rates", -1,
             "\"deck_id\":\"d\",\"rates\":[{\"origin\":\"US\",\"prefix\":\"+33\",\"destination\":\"France landline\","
             "\"status\":\"open\",\"price\":\"%s\"}]",
             price);
    feed_say(feed, "ratedeck.published", -1, "\"deck_id\":\"d\",\"rates\":1");
}

void feed_account(struct feed *feed, long account, double credits)
{
    feed_say(feed, "account.opened", account, "\"currency\":\"USD\",\"owner\":\"" OWNER "\"");
    feed_say(feed, "number.added", account, "\"number\":\"" NUMBER "\",\"origin\":\"US\"");
    feed_say(feed, "member.assigned", account, "\"number\":\"" NUMBER "\",\"member_id\":\"" OWNER "\"");
    feed_say(feed, "number.international_enabled", account, "\"number\":\"" NUMBER "\",\"actor\":\"" OWNER "\"");
    feed_say(feed, "credit.topped_up", account, "\"topup_id\":\"first\",\"amount\":\"%.3f\",\"currency\":\"USD\"",
             credits);
}

void feed_make_start(struct feed *feed, struct feed_event *event, long account, long call)
{
    feed_make(feed, event, "call.started", account,
              "\"call_id\":\"call-%08ld\",\"direction\":\"outbound\",\"from\":\"" NUMBER
              "\",\"to\":\"+33140000000\",\"member_id\":\"" OWNER "\"",
              call);
}
