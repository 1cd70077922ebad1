/* bench_grant.c - what it costs when all the calls of one account run out.
 *
 *     bench_grant [CALLS]      (default 10000)
 *
 * Three accounts have CALLS parallel calls each, all at a tenth of a cent a
 * second. `ample` can pay for everything. `runs out` has 39 seconds for each
 * call, which a horizon of 30 s needs after the first tick: from then on every
 * tick may find the credits short, and shares what there is, until all calls
 * have a limit. `limited` loses so much by a chargeback that all its calls have
 * a limit from one event on; they tick, they are lifted by a top-up and limited
 * again by its reversal, TURNS times; then they end, and each end leaves
 * something that the others buy on from.
 *
 * Times are of the CPU, in fold_step alone: the mean of a round in which every
 * call has one event, the median of the turns.
 */
#include <err.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "bench/feed.h"

#define TICK_MS 6000
#define TURNS   ROUNDS
enum { AMPLE, RUNS_OUT, LIMITED };

/* Folds an event of each call; ns an event. */
static double round_ns(struct feed *feed, struct feed_event *events, long calls)
{
    double begin = cpu_ns();
    for (long call = 0; call < calls; call++)
        feed_fold(feed, &events[call]);
    return (cpu_ns() - begin) / (double)calls;
}

static double start_all(struct feed *feed, struct feed_event *events, long account, long calls)
{
    for (long call = 0; call < calls; call++)
        feed_make_start(feed, &events[call], account, call);
    return round_ns(feed, events, calls);
}

/* type: call.ticked or call.ended. */
static double report_all(struct feed *feed, struct feed_event *events, const char *type, long account, long calls,
                         long duration_ms)
{
    for (long call = 0; call < calls; call++)
        feed_make(feed, &events[call], type, account, "\"call_id\":\"call-%08ld\",\"duration_ms\":%ld", call,
                  duration_ms);
    return round_ns(feed, events, calls);
}

static double top_up(struct feed *feed, const char *id, double credits)
{
    return feed_say(feed, "credit.topped_up", LIMITED, "\"topup_id\":\"%s\",\"amount\":\"%.3f\",\"currency\":\"USD\"",
                    id, credits);
}

static double reverse(struct feed *feed, const char *id)
{
    return feed_say(feed, "topup.reversed", LIMITED, "\"topup_id\":\"%s\",\"reason\":\"fraud\"", id);
}

static long limits_said(const struct feed *feed)
{
    return feed->outputs[OUTPUT_CALL_CUTOFF];
}

static void run_ample(struct feed *feed, struct feed_event *events, long calls)
{
    feed_account(feed, AMPLE, 1e6);
    say_figure("start, credits ample", start_all(feed, events, AMPLE, calls), "ns");
    say_figure("tick, credits ample", report_all(feed, events, "call.ticked", AMPLE, calls, TICK_MS), "ns");
    say_figure("end, credits ample", report_all(feed, events, "call.ended", AMPLE, calls, TICK_MS), "ns");
}

static void run_out(struct feed *feed, struct feed_event *events, long calls)
{
    double ns = 0;
    long rounds = 0, before = limits_said(feed);
    feed_account(feed, RUNS_OUT, 0.039 * (double)calls);
    start_all(feed, events, RUNS_OUT, calls);
    report_all(feed, events, "call.ticked", RUNS_OUT, calls, TICK_MS);
    for (long duration_ms = 2 * TICK_MS; limits_said(feed) - before < calls; duration_ms += TICK_MS, rounds++)
        ns += report_all(feed, events, "call.ticked", RUNS_OUT, calls, duration_ms);
    say_figure("tick, running out", ns / (double)rounds, "ns");
    say_figure("rounds until all have a limit", (double)rounds, "");
}

/* Each call has 25 s in the end. */
static void run_limited(struct feed *feed, struct feed_event *events, long calls)
{
    double lift[TURNS], limit[TURNS];
    char id[32];
    feed_account(feed, LIMITED, 0.025 * (double)calls);
    top_up(feed, "spare", 0.020 * (double)calls);
    start_all(feed, events, LIMITED, calls);
    report_all(feed, events, "call.ticked", LIMITED, calls, TICK_MS);
    long before = limits_said(feed);
    reverse(feed, "spare");
    if (limits_said(feed) - before != calls)
        errx(EX_SOFTWARE, "a chargeback limited %ld of %ld calls", limits_said(feed) - before, calls);
    say_figure("tick, all have a limit", report_all(feed, events, "call.ticked", LIMITED, calls, 2 * TICK_MS), "ns");
    for (int turn = 0; turn < TURNS; turn++) {
        snprintf(id, sizeof id, "turn-%d", turn);
        lift[turn] = top_up(feed, id, 1e6);
        limit[turn] = reverse(feed, id);
    }
    say_figure("top-up that lifts all limits", median(lift), "ns");
    say_figure("reversal that limits all calls", median(limit), "ns");
    before = limits_said(feed);
    say_figure("end, all have a limit", report_all(feed, events, "call.ended", LIMITED, calls, 2 * TICK_MS), "ns");
    say_figure("limits said again, an end", (double)(limits_said(feed) - before) / (double)calls, "");
}

int main(int argc, char **argv)
{
    long calls = argc > 1 ? atol(argv[1]) : 10000;
    struct feed feed;
    struct feed_event *events = calls > 0 ? calloc((size_t)calls, sizeof *events) : NULL;
    if (events == NULL)
        errx(EX_USAGE, "usage: bench_grant [CALLS]    above zero, and as many as memory holds");
    feed_open(&feed);
    feed_deck(&feed, "0.06");
    run_ample(&feed, events, calls);
    run_out(&feed, events, calls);
    run_limited(&feed, events, calls);
    feed_close(&feed);
    free(events);
    return EX_OK;
}
