/* The modules of this program, in the order in which their contracts are bundled; ends with NULL. */
#ifndef SERVICES_MODULES_H
#define SERVICES_MODULES_H

#include <shimin/module.h>

extern const struct module *const modules[];

#endif
