/* The web application at /console/: files from memory, under a policy of their own. */
#include "files.h"

#include <shimin/module.h>

MODULE_CONTRACT(console);

#define POLICY                                                                                                                 \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "     \
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

static void open_files(void)
{
    files_open(console_directory());
}

static void redirect_to_console(struct request *request)
{
    reply_empty(request, 308);
    reply_header(request, "location", STR("/console/"));
}

static void reply_file(struct request *request, const struct file *file)
{
    if (!file) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个文件", "There is no such file"));
        return;
    }
    reply_bytes(request, 200, file->type, file->bytes);
    reply_gzip(request, file->gzip);
    reply_etag(request, str_of(file->tag));
    reply_cache(request, file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    reply_header(request, "content-security-policy", STR(POLICY));
}

static void read_console(struct request *request)
{
    reply_file(request, file_named(STR("index.html")));
}

static void read_console_file(struct request *request)
{
    reply_file(request, file_named(request_string(request, "path")));
}

const struct module console_module = {
    .name = "console",
    .contract = console_contract,
    .contract_size = &console_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"redirectToConsole", redirect_to_console},
            {"readConsole", read_console},
            {"readConsoleFile", read_console_file},
            {0},
        },
    .worker_open = open_files,
};
