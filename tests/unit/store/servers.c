/* Private servers for tests: they die with the test, whatever it dies of. */
#include "servers.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 1500, TRY_MICROSECONDS = 20000 };

static void fail(const char *what)
{
    fprintf(stderr, "servers: %s: %s\n", what, strerror(errno));
    abort();
}

static const char *binary_directory(void)
{
    const char *given = getenv("PG_BIN");
    return given ? given : "/usr/lib/postgresql/15/bin";
}

/* Postgres refuses to run as root. */
static const struct passwd *postgres_user(void)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : getpwuid(geteuid());
    if (!user)
        fail("no user to run Postgres as");
    return user;
}

static pid_t spawn(const char *directory, const struct passwd *user, const char *const arguments[])
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid)
        return pid;
    char log_path[96];
    snprintf(log_path, sizeof log_path, "%s/log", directory);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(log, 1);
    dup2(log, 2);
    setpgid(0, 0);
    unsetenv("ASAN_OPTIONS");
    if (user && geteuid() == 0)
        if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
            _exit(126);
    if (chdir(directory))
        _exit(126);
    execv(arguments[0], (char **)arguments);
    _exit(127);
}

static void run(const char *directory, const struct passwd *user, const char *const arguments[])
{
    int status;
    pid_t pid = spawn(directory, user, arguments);
    if (waitpid(pid, &status, 0) != pid || status) {
        fprintf(stderr, "servers: %s failed, see %s/log\n", arguments[0], directory);
        abort();
    }
}

/* A parent-death signal would do, but setuid() clears it, and it comes already when the thread that forked ends. */
static void spawn_guarded(struct server *server, const struct passwd *user, int end_signal, const char *const arguments[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        fail("pipe");
    server->guardian = fork();
    if (server->guardian < 0)
        fail("fork");
    if (server->guardian) {
        close(ends[0]);
        server->leash = ends[1];
        return;
    }
    close(ends[1]);
    setpgid(0, 0);
    pid_t pid = spawn(server->directory, user, arguments);
    char byte;
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        ;
    kill(pid, end_signal);
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void make_directory(struct server *server, const char *name, const struct passwd *owner)
{
    memset(server, 0, sizeof *server);
    snprintf(server->directory, sizeof server->directory, "/tmp/shimin-%s-XXXXXX", name);
    if (!mkdtemp(server->directory))
        fail("mkdtemp");
    if (owner && geteuid() == 0 && chown(server->directory, owner->pw_uid, owner->pw_gid))
        fail("chown");
}

static void settings(const struct server *server)
{
    char path[96];
    snprintf(path, sizeof path, "%s/data/postgresql.auto.conf", server->directory);
    FILE *file = fopen(path, "a");
    if (!file)
        fail(path);
    fprintf(file,
            "listen_addresses = ''\nunix_socket_directories = '%s'\nmax_connections = 60\nshared_buffers = 64MB\n"
            "fsync = off\nlog_min_messages = warning\n",
            server->directory);
    fclose(file);
}

static void begin(struct server *server)
{
    settings(server);
    snprintf(server->login, sizeof server->login, "owner");
    snprintf(server->url, sizeof server->url, "host=%s user=owner dbname=postgres", server->directory);
    postgres_start(server);
}

void postgres_create(struct server *server)
{
    const struct passwd *user = postgres_user();
    make_directory(server, "pg", user);
    char program[128], data[96];
    snprintf(program, sizeof program, "%s/initdb", binary_directory());
    snprintf(data, sizeof data, "%s/data", server->directory);
    run(server->directory, user,
        (const char *[]){program, "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", NULL});
    begin(server);
}

void postgres_rest(struct server *server)
{
    PGconn *link = PQconnectdb(server->url);
    PQclear(PQexec(link, "CHECKPOINT")); /* nothing to be recovered by those who begin there */
    PQfinish(link);
    server_kill(server);
}

void postgres_copy(struct server *server, const struct server *resting)
{
    const struct passwd *user = postgres_user();
    make_directory(server, "pg", user);
    char data[96];
    snprintf(data, sizeof data, "%s/data", resting->directory);
    run(server->directory, user, (const char *[]){"/bin/cp", "-a", data, "data", NULL});
    begin(server);
}

void postgres_start(struct server *server)
{
    char program[128], data[96];
    snprintf(program, sizeof program, "%s/postgres", binary_directory());
    snprintf(data, sizeof data, "%s/data", server->directory);
    /* SIGQUIT is Postgres' immediate shutdown: it ends the children too, and saves nothing */
    spawn_guarded(server, postgres_user(), SIGQUIT, (const char *[]){program, "-D", data, NULL});
    for (int i = 0; i < TRIES; i++) {
        if (PQping(server->url) == PQPING_OK)
            return;
        usleep(TRY_MICROSECONDS);
    }
    fail("Postgres does not start");
}

void redis_create(struct server *server)
{
    make_directory(server, "redis", NULL);
    snprintf(server->url, sizeof server->url, "unix:%s/socket", server->directory);
    redis_start(server);
}

static int can_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int ok = !connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return ok;
}

void redis_start(struct server *server)
{
    char socket_path[96];
    snprintf(socket_path, sizeof socket_path, "%s/socket", server->directory);
    unlink(socket_path);
    spawn_guarded(server, NULL, SIGKILL,
                  (const char *[]){"/usr/bin/redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "", "--dir",
                                   server->directory, NULL});
    for (int i = 0; i < TRIES; i++) {
        if (can_connect(socket_path))
            return;
        usleep(TRY_MICROSECONDS);
    }
    fail("Redis does not start");
}

void server_kill(struct server *server)
{
    if (!server->guardian)
        return;
    if (write(server->leash, "", 1) != 1)
        fail("write");
    close(server->leash);
    if (waitpid(server->guardian, NULL, 0) != server->guardian) /* started by another process of the test */
        while (!kill(server->guardian, 0))
            usleep(TRY_MICROSECONDS);
    server->guardian = 0;
}

/* Parents first, so that none starts another child meanwhile. */
static void signal_descendants(pid_t pid, int number)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "r");
    if (!file) { /* it has ended since its parent named it */
        if (errno == ENOENT)
            return;
        fail(path);
    }
    for (int child; fscanf(file, "%d", &child) == 1;) {
        kill(child, number);
        signal_descendants(child, number);
    }
    fclose(file);
}

void server_suspend(const struct server *server)
{
    signal_descendants(server->guardian, SIGSTOP);
}

void server_resume(const struct server *server)
{
    signal_descendants(server->guardian, SIGCONT);
}

void server_destroy(struct server *server)
{
    server_kill(server);
    run("/tmp", NULL, (const char *[]){"/bin/rm", "-rf", server->directory, NULL});
}
