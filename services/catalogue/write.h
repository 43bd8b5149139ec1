/* How departments, services, categories and areas are written as JSON. */
#ifndef SERVICES_CATALOGUE_WRITE_H
#define SERVICES_CATALOGUE_WRITE_H

#include <shimin/catalogue.h>

void write_bilingual(struct json_out *out, const char *name, struct bilingual text);
/* What a list shows of a service. */
void write_service(struct json_out *out, struct arena *arena, const struct snapshot *snapshot, const struct service *service);
/* The members that only GET /v1/services/{slug} adds: aliases and the parameters a citizen may give. */
void write_service_details(struct json_out *out, const struct service *service);
void write_department(struct json_out *out, struct arena *arena, const struct snapshot *snapshot,
                      const struct department *department, unsigned services);
void write_area(struct json_out *out, const struct snapshot *snapshot, const struct area *area);

#endif
