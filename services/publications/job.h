/* The background job: pulls what is due and keeps the copies in memory fresh. Runs in one worker of each process. */
#ifndef SERVICES_PUBLICATIONS_JOB_H
#define SERVICES_PUBLICATIONS_JOB_H

/* In worker 0, when it opens. */
void job_start(void);
/* In worker 0, when it stops: nothing new begins, and what waits is cancelled. */
void job_stop(void);

#endif
