/* The pipeline: what happens to a request of the public listeners. */
#ifndef SHIMIN_PIPELINE_H
#define SHIMIN_PIPELINE_H

#include "edge/route.h"

struct edge_settings {
    const struct routes *routes;
    const struct limits *limits;
    int64_t deadline; /* of a request, microseconds */
};

/* Once, before the workers start. */
void pipeline_open(const struct edge_settings *settings);
/* The handler of the public listeners: runs in the request's fiber. */
void pipeline_handle(struct request *request);
/* Their `finished`: what is written about a request once its reply is on its way. */
void pipeline_finished(struct request *request);

#endif
