/* judge_pipe.c - see judge_pipe.h. */
#include "tests/fuzz/judge_pipe.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *to_judge, *from_judge;

static void die(const char *what)
{
    perror(what);
    abort();
}

/* libFuzzer's alarm is not to cut an answer short. */
static void wait_through_alarms(void)
{
    struct sigaction alarm_action;

    sigaction(SIGALRM, NULL, &alarm_action);
    alarm_action.sa_flags |= SA_RESTART;
    sigaction(SIGALRM, &alarm_action, NULL);
}

static void start(void)
{
    int to[2], from[2];

    wait_through_alarms();
    if (pipe(to) != 0 || pipe(from) != 0)
        die("pipe");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            close(to[i]);
            close(from[i]);
        }
        execlp("python3", "python3", "tests/model/serve.py", (char *)NULL);
        die("python3 tests/model/serve.py");
    }
    close(to[0]);
    close(from[1]);
    to_judge = fdopen(to[1], "w");
    from_judge = fdopen(from[0], "r");
    if (!to_judge || !from_judge)
        die("fdopen");
}

static void send_bytes(struct text bytes)
{
    fwrite(bytes.at, 1, bytes.len, to_judge);
}

void judge_record(const struct fold_record *record)
{
    if (!to_judge)
        start();
    fprintf(to_judge, "record %" PRId64, record->offset);
    if (!record->has_key)
        fputs(" - -", to_judge);
    else
        fprintf(to_judge, " %" PRId64 " %lld", record->timestamp_ms,
                text_present(record->key) ? (long long)record->key.len : -1);
    fprintf(to_judge, " %zu\n", record->value.len);
    if (text_present(record->key))
        send_bytes(record->key);
    send_bytes(record->value);
}

void judge_output(enum output_topic topic, struct text line)
{
    fprintf(to_judge, "output %s %zu\n", output_topic_name(topic), line.len);
    send_bytes(line);
}

static void copy_report(size_t len)
{
    for (int byte; len > 0 && (byte = getc(from_judge)) != EOF; len--)
        putc(byte, stderr);
}

bool judge_agrees(void)
{
    char answer[64];
    size_t len;

    fputs("end\n", to_judge);
    if (fflush(to_judge) != 0 || !fgets(answer, sizeof answer, from_judge))
        die("the model is gone");
    if (strcmp(answer, "agreed\n") == 0)
        return true;
    if (sscanf(answer, "differs %zu", &len) == 1)
        copy_report(len);
    return false;
}
