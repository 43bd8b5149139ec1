/* Offload threads: where work goes that burns the processor or blocks. */
#ifndef SHIMIN_RUNTIME_OFFLOAD_H
#define SHIMIN_RUNTIME_OFFLOAD_H

enum {
    OFFLOAD_THREADS = 2,
    OFFLOAD_QUEUE = 256, /* jobs that may wait for a thread; more are refused, so that a flood shows at once */
};

/* Starts the threads, and the one that works aside; no effect if they run already. workers_start starts OFFLOAD_THREADS unless
 * main chose a number. */
void offload_start(unsigned threads);
/* Ends the threads when the jobs they are at are done; drops those that wait. The workers must have ended. */
void offload_stop(void);

#endif
