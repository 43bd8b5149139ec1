/* Mailboxes: functions that other threads want run on a worker's loop.
 *
 * Not h2o_multithread_queue_t: that of 2.2.5 leaks itself when destroyed and costs two descriptors. */
#include <errno.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <string.h>
#include <sys/eventfd.h>

#include "runtime/internal.h"

static struct message *take_all(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct message *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

static void on_announced(h2o_socket_t *socket, const char *error)
{
    struct mailbox *mailbox = socket->data;
    uint64_t count;
    if (error || (read(mailbox->announce, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR))
        fatal("a worker's mailbox is broken: %s", error ? error : strerror(errno));
    for (struct message *message = take_all(mailbox), *next; message; message = next) {
        next = message->next;
        message->function(message->argument);
        free(message);
    }
}

void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop)
{
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->last = &mailbox->first;
    mailbox->announce = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->announce < 0)
        fatal("cannot make a worker's mailbox: %s", strerror(errno));
    mailbox->socket = h2o_evloop_socket_create(loop, mailbox->announce, H2O_SOCKET_FLAG_DONT_READ);
    mailbox->socket->data = mailbox;
    h2o_socket_read_start(mailbox->socket, on_announced);
}

void mailbox_post(struct mailbox *mailbox, void (*function)(void *argument), void *argument)
{
    struct message *message = memory_alloc(sizeof *message);
    *message = (struct message){.function = function, .argument = argument};
    pthread_mutex_lock(&mailbox->lock);
    bool was_empty = !mailbox->first;
    *mailbox->last = message;
    mailbox->last = &message->next;
    pthread_mutex_unlock(&mailbox->lock);
    /* The first message announces all that follow until the loop takes them. */
    if (was_empty)
        while (write(mailbox->announce, &(uint64_t){1}, sizeof(uint64_t)) < 0 && errno == EINTR)
            ;
}

void mailbox_close(struct mailbox *mailbox)
{
    for (struct message *message = take_all(mailbox), *next; message; message = next) {
        next = message->next;
        free(message);
    }
    h2o_socket_close(mailbox->socket);
    pthread_mutex_destroy(&mailbox->lock);
}
