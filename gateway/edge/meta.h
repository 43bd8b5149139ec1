/* The API about itself: /openapi.json and /problems, as a module like any other. */
#ifndef SHIMIN_META_H
#define SHIMIN_META_H

#include <shimin/module.h>

extern const struct module meta_module;

/* The published document; lives as long as the process. Once, before the workers start. */
void meta_open(struct str document);

#endif
