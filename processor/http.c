/* http.c - see http.h. */
#include "processor/http.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <microhttpd.h>

#include "processor/metrics.h"
#include "processor/pulse.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define LOOPBACK          "127.0.0.1"
#define CONNECTIONS_MAX   32
#define CONNECTION_S      5 /* without a byte */
#define CONNECTION_MEMORY 8192
#define BACKLOG           128

struct http {
    struct MHD_Daemon *daemon;
    struct board *board;
    struct figures figures; /* as read for the request under way: there is one thread */
};

/* Answers. */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, struct buffer *body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(body->len, body->at, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        buffer_free(body);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_line(struct MHD_Connection *connection, unsigned status, const char *line)
{
    struct buffer body = {0};
    buffer_text(&body, line);
    buffer_text(&body, "\n");
    return answer(connection, status, "text/plain; charset=utf-8", &body);
}

static enum MHD_Result answer_metrics(struct http *http, struct MHD_Connection *connection)
{
    struct buffer body = {0};
    board_read(http->board, &http->figures);
    metrics_format(&body, &http->figures);
    return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static enum MHD_Result answer_health(struct MHD_Connection *connection)
{
    char line[64];
    double age = pulse_age();
    if (age < PULSE_STUCK_S)
        return answer_line(connection, MHD_HTTP_OK, "alive");
    snprintf(line, sizeof line, "stuck: nothing has moved for %.0f s", age);
    return answer_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE, line);
}

static enum MHD_Result answer_readiness(struct http *http, struct MHD_Connection *connection)
{
    board_read(http->board, &http->figures);
    return answer_line(connection, http->figures.is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                       http->figures.status);
}

static enum MHD_Result on_request(void *opaque, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *data, size_t *data_size, void **context)
{
    struct http *http = opaque;
    (void)version, (void)data, (void)data_size, (void)context;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
    if (strcmp(path, "/metrics") == 0)
        return answer_metrics(http, connection);
    if (strcmp(path, "/healthz") == 0)
        return answer_health(connection);
    if (strcmp(path, "/readyz") == 0)
        return answer_readiness(http, connection);
    return answer_line(connection, MHD_HTTP_NOT_FOUND, "here are /metrics, /healthz and /readyz");
}

/* Listening. */

/* "[::1]:9464", "127.0.0.1:9464", "localhost:9464", ":9464", "9464". */
static bool split_address(const char *address, char host[256], char port[8])
{
    const char *colon = strrchr(address, ':');
    const char *number = colon != NULL ? colon + 1 : address;
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    bool is_bracketed = len > 2 && address[0] == '[' && address[len - 1] == ']';
    if (strlen(number) == 0 || strlen(number) > 5 || strspn(number, "0123456789") != strlen(number) ||
        atoi(number) > 65535 || len >= 256 || (!is_bracketed && memchr(address, ':', len) != NULL))
        return false;
    if (len == 0)
        snprintf(host, 256, "%s", LOOPBACK);
    else
        snprintf(host, 256, "%.*s", (int)(is_bracketed ? len - 2 : len), address + (is_bracketed ? 1 : 0));
    snprintf(port, 8, "%s", number);
    return true;
}

/* To be freed by freeaddrinfo; NULL with *error. */
static struct addrinfo *find_address(const char *address, struct store_error *error)
{
    char host[256], port[8];
    struct addrinfo *found = NULL;
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (!split_address(address, host, port)) {
        fail_with(error, EX_CONFIG,
                  "--http %s is no address; give [HOST:]PORT, as in --http 9464 or --http 0.0.0.0:9464", address);
        return NULL;
    }
    int code = getaddrinfo(host, port, &wanted, &found);
    if (code != 0)
        fail_with(error, EX_CONFIG,
                  "--http %s: %s is no address of this machine: %s; without a host it is the loopback", address, host,
                  gai_strerror(code));
    return code == 0 ? found : NULL;
}

static int bind_and_listen(const struct addrinfo *found)
{
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* after a restart the port may still linger */
    if (bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int listen_at(const char *address, struct store_error *error)
{
    struct addrinfo *found = find_address(address, error);
    if (found == NULL)
        return -1;
    int fd = bind_and_listen(found);
    int why = errno;
    freeaddrinfo(found);
    if (fd < 0)
        fail_with(error, EX_CONFIG, "--http %s: cannot listen there: %s; %s", address, strerror(why),
                  why == EADDRINUSE ? "another process does; give each meter a port of its own"
                                    : "give an address of this machine and a port that its user may take");
    return fd;
}

static void say_address(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char host[64], port[8];
    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
        getnameinfo((struct sockaddr *)&at, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        message_note(strchr(host, ':') != NULL ? "metrics    http://[%s]:%s/metrics"
                                               : "metrics    http://%s:%s/metrics",
                     host, port);
}

/* Signals are the main thread's: they shall interrupt its waits. */
static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

struct http *http_open(const char *address, struct board *board, struct store_error *error)
{
    int fd = listen_at(address, error);
    if (fd < 0)
        return NULL;
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        abort();
    http->board = board;
    http->daemon = start_daemon(http, fd);
    if (http->daemon != NULL) {
        say_address(fd);
        return http;
    }
    fail_with(error, EX_OSERR, "--http %s: no thread for it: %s", address, strerror(errno));
    close(fd);
    free(http);
    return NULL;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon); /* closes the socket */
    free(http);
}
