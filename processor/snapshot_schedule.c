/* snapshot_schedule.c - see snapshot_schedule.h. */
#include "processor/snapshot_schedule.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/files.h"
#include "terminal/message.h"

#define PROGRAM   "callfold-snapshot"
#define WORDS_MAX 16
#define NICER     10

struct snapshot_schedule {
    const struct snapshot_options *options;
    char program[PATH_MAX];
    const char *words[WORDS_MAX]; /* of its command line */
    char keep[24];
    pid_t child; /* 0: none */
    double due;  /* seconds_now() */
};

static bool check_options(const struct snapshot_options *options, struct store_error *error)
{
    bool makes = options->every_ms > 0;
    if (options->dir == NULL && (makes || options->verify_path != NULL))
        return fail_with(error, EX_USAGE, "--snapshot-every and --verify-key need --snapshots DIR");
    return makes || (options->keep == 0 && options->sign_path == NULL) ||
           fail_with(error, EX_USAGE, "--snapshot-keep and --sign need --snapshot-every TIME");
}

/* Beside this program, wherever that is. */
static bool find_program(struct snapshot_schedule *schedule, struct store_error *error)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        slash[1] = '\0';
    snprintf(schedule->program, sizeof schedule->program, "%.*s" PROGRAM, PATH_MAX - 32, self);
    return access(schedule->program, X_OK) == 0 ||
           fail_with(error, EX_CONFIG,
                     "--snapshot-every needs %s, which is not there; install it, or leave the option out",
                     schedule->program);
}

static void set_words(struct snapshot_schedule *schedule, const char *state)
{
    const struct snapshot_options *options = schedule->options;
    size_t count = 0;
    const char *fixed[] = {PROGRAM, "create", "--quiet", "--state", state, "--snapshots", options->dir};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        schedule->words[count++] = fixed[i];
    if (options->sign_path != NULL) {
        schedule->words[count++] = "--sign";
        schedule->words[count++] = options->sign_path;
    }
    if (options->keep > 0) {
        snprintf(schedule->keep, sizeof schedule->keep, "%" PRId64, options->keep);
        schedule->words[count++] = "--keep";
        schedule->words[count++] = schedule->keep;
    }
}

struct snapshot_schedule *snapshot_schedule_new(const struct snapshot_options *options, const char *state,
                                                struct store_error *error)
{
    struct snapshot_schedule *schedule = calloc(1, sizeof *schedule);
    if (schedule == NULL)
        abort();
    schedule->options = options;
    if (!check_options(options, error) || (options->every_ms > 0 && !find_program(schedule, error))) {
        free(schedule);
        return NULL;
    }
    set_words(schedule, state);
    return schedule;
}

/* Not fork: that would copy the page tables of a large fold while it waits. The child
 * and what it starts give way where processors are few, and its disk requests too. */
static void begin(struct snapshot_schedule *schedule)
{
    posix_spawn_file_actions_t actions;
    char *const *words = (char *const *)(uintptr_t)schedule->words;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    int number = posix_spawn(&schedule->child, schedule->program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (number == 0) {
        setpriority(PRIO_PROCESS, (id_t)schedule->child, getpriority(PRIO_PROCESS, 0) + NICER);
        return;
    }
    schedule->child = 0;
    message_error("cannot run %s: %s; the next snapshot is tried when it is due", schedule->program, strerror(number));
}

/* What went wrong it has said itself. */
static void hear(struct snapshot_schedule *schedule)
{
    int status;
    if (schedule->child == 0 || waitpid(schedule->child, &status, WNOHANG) != schedule->child)
        return;
    schedule->child = 0;
    if (WIFSIGNALED(status))
        message_error("%s was killed by signal %d; the next snapshot is tried when it is due", schedule->program,
                      WTERMSIG(status));
}

void snapshot_schedule_turn(struct snapshot_schedule *schedule)
{
    if (schedule == NULL || schedule->options->every_ms == 0)
        return;
    hear(schedule);
    double now = seconds_now();
    if (schedule->child != 0 || now < schedule->due)
        return;
    schedule->due = now + (double)schedule->options->every_ms / 1000;
    begin(schedule);
}

void snapshot_schedule_free(struct snapshot_schedule *schedule)
{
    if (schedule == NULL)
        return;
    if (schedule->child != 0 && kill(schedule->child, SIGKILL) == 0)
        waitpid(schedule->child, NULL, 0);
    free(schedule);
}
