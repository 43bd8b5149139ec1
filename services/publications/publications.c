/* Publications: what departments publish for everybody: places, news and texts. */
#include "feed_events.h"
#include "handlers.h"
#include "job.h"

#include <shimin/module.h>
#include <shimin/worker.h>

MODULE_CONTRACT(publications);

static void open_worker(void)
{
    if (worker_index() == 0)
        job_start();
}

static void close_worker(void)
{
    streams_stop();
    if (worker_index() == 0)
        job_stop();
}

const struct module publications_module = {
    .name = "publications",
    .contract = publications_contract,
    .contract_size = &publications_contract_size,
    .worker_open = open_worker,
    .worker_close = close_worker,
    .handlers =
        (const struct module_handler[]){
            {"listPlaces", list_places},
            {"readFeed", read_feed},
            {"streamFeed", stream_feed},
            {"listDocuments", list_documents},
            {"readDocument", read_document},
            {"listDocumentVersions", list_versions},
            {0},
        },
};
