/* metrics.c - see metrics.h. */
#include "processor/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "events/currency.h"
#include "events/money.h"
#include "processor/commands.h"

__attribute__((format(printf, 2, 3))) static void add(struct buffer *out, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_text(out, line);
}

static void describe(struct buffer *out, const char *name, const char *type, const char *help)
{
    add(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
    describe(out, name, type, help);
    add(out, "%s %.17g\n", name, value);
}

/* Words. */

static const char *event_word(size_t i)
{
    return i < EVENT_TYPE_COUNT ? event_type_name((enum event_type)i) : "unreadable";
}
static const char *topic_word(size_t i)
{
    return output_topic_name((enum output_topic)i);
}
static const char *reject_word(size_t i)
{
    return reject_reason_name((enum reject_reason)i);
}
static const char *cutoff_word(size_t i)
{
    return cutoff_reason_name((enum cutoff_reason)i);
}

static void by_word(struct buffer *out, const char *name, const char *label, const char *help,
                    const char *(*word)(size_t), const int64_t *counts, size_t count)
{
    describe(out, name, "counter", help);
    for (size_t i = 0; i < count; i++)
        add(out, "%s{%s=\"%s\"} %" PRId64 "\n", name, label, word(i), counts[i]);
}

static void uncollected(struct buffer *out, const struct figures *figures)
{
    const char *name = "callfold_uncollected_total";
    describe(out, name, "counter", "Money talked beyond limits and never charged, in units of its currency.");
    for (size_t i = 0; i < figures->uncollected_count; i++) {
        char currency[CURRENCY_TEXT_MAX], amount[MONEY_TEXT_MAX];
        currency_format(figures->uncollected[i].currency, currency);
        money_format(figures->uncollected[i].micros, amount);
        add(out, "%s{currency=\"%s\"} %s\n", name, currency, amount);
    }
}

static void counters(struct buffer *out, const struct figures *figures)
{
    by_word(out, "callfold_events_total", "type", "Events whose outputs this process published.", event_word,
            figures->events, EVENT_TYPE_COUNT + 1);
    by_word(out, "callfold_outputs_total", "topic", "Outputs published.", topic_word, figures->outputs, TOPIC_COUNT);
    by_word(out, "callfold_rejects_total", "reason", "Records rejected.", reject_word, figures->rejects,
            REJECT_REASON_COUNT);
    by_word(out, "callfold_cutoffs_total", "reason", "Limits said to the platform.", cutoff_word, figures->cutoffs,
            CUTOFF_REASON_COUNT);
    single(out, "callfold_refolded_records_total", "counter",
           "Records folded again in silence, on the way from a stored state to the last commit.",
           (double)figures->refolded);
    single(out, "callfold_duplicates_total", "counter", "Events that said again what was known, absorbed.",
           (double)figures->duplicates);
    uncollected(out, figures);
}

static void histogram(struct buffer *out, const char *name, const char *help, const struct histogram *histogram)
{
    int64_t sum = 0;
    describe(out, name, "histogram", help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        sum += histogram->counts[i];
        add(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, histogram_bounds[i], sum);
    }
    sum += histogram->counts[HISTOGRAM_BOUNDS];
    add(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %.9g\n%s_count %" PRId64 "\n", name, sum, name, histogram->sum,
        name, sum);
}

/* Partitions. */

static double live_calls(const struct partition_figures *partition)
{
    return (double)partition->live_calls;
}
static double records_in_memory(const struct partition_figures *partition)
{
    return (double)partition->records_in_memory;
}
static double time_of(const struct partition_figures *partition)
{
    return (double)partition->time_ms / 1000;
}
static double lag_records(const struct partition_figures *partition)
{
    return (double)partition->lag_records;
}
static double lag_seconds(const struct partition_figures *partition)
{
    return partition->lag_records < 0 ? -1 : partition->lag_seconds;
}
static double catchup_ratio(const struct partition_figures *partition)
{
    return partition->catchup_ratio;
}

/* A negative value is not known, and left out. */
static void by_partition(struct buffer *out, const struct figures *figures, const char *name, const char *help,
                         double (*value)(const struct partition_figures *))
{
    describe(out, name, "gauge", help);
    for (size_t i = 0; i < figures->partition_count; i++) {
        const struct partition_figures *partition = &figures->partitions[i];
        if (value(partition) >= 0)
            add(out, "%s{partition=\"%" PRIu32 "\"} %.15g\n", name, partition->number, value(partition));
    }
}

static void partitions(struct buffer *out, const struct figures *figures)
{
    single(out, "callfold_ready", "gauge", "1 when all assigned partitions publish, as /readyz says.",
           figures->is_ready);
    single(out, "callfold_partitions", "gauge", "Partitions that this process folds.",
           (double)figures->partition_count);
    by_partition(out, figures, "callfold_live_calls", "Calls in progress.", live_calls);
    by_partition(out, figures, "callfold_state_records", "Records of the state that are in memory.", records_in_memory);
    by_partition(out, figures, "callfold_partition_time_seconds",
                 "Partition time: the latest event time folded, in seconds since 1970.", time_of);
    by_partition(out, figures, "callfold_lag_records", "Records of callfold.events that wait to be folded.",
                 lag_records);
    by_partition(out, figures, "callfold_lag_seconds",
                 "How old the last record folded is while others wait, 0 when none do.", lag_seconds);
    by_partition(
        out, figures, "callfold_catchup_ratio",
        "How much of the way from the log's beginning to its last commit a partition has folded, 1 when it publishes.",
        catchup_ratio);
}

/* The process, by the names that Prometheus' own clients use. */

static int64_t count_descriptors(void)
{
    int64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 3; /* "." and ".." and the directory's own */
}

/* In pages; zeros when the system does not say. */
static void memory_pages(long *virtual_pages, long *resident_pages)
{
    *virtual_pages = *resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%ld %ld", virtual_pages, resident_pages) != 2)
        *virtual_pages = *resident_pages = 0;
    fclose(file);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void process(struct buffer *out)
{
    struct rusage usage;
    long virtual_pages, resident_pages, page = sysconf(_SC_PAGESIZE);
    getrusage(RUSAGE_SELF, &usage);
    memory_pages(&virtual_pages, &resident_pages);
    single(out, "process_cpu_seconds_total", "counter", "User and system CPU time spent.",
           seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    single(out, "process_resident_memory_bytes", "gauge", "Resident memory, the mapped part of the state included.",
           (double)(resident_pages * page));
    single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory; the state is mapped whole.",
           (double)(virtual_pages * page));
    single(out, "process_open_fds", "gauge", "Open file descriptors.", (double)count_descriptors());
}

void metrics_format(struct buffer *out, const struct figures *figures)
{
    describe(out, "callfold_build_info", "gauge", "Always 1; what is running.");
    add(out, "callfold_build_info{version=\"%s\",fold_version=\"%d\"} 1\n", CALLFOLD_VERSION, FOLD_VERSION);
    counters(out, figures);
    partitions(out, figures);
    histogram(out, "callfold_commit_seconds", "From the last output of a commit until it was done.", &figures->commits);
    histogram(out, "callfold_checkpoint_seconds", "Storing what had changed since the last checkpoint.",
              &figures->checkpoints);
    process(out);
}
