/* What the configuration says of switches, for <shimin/switches.h>. */
#ifndef SHIMIN_SWITCH_RULES_H
#define SHIMIN_SWITCH_RULES_H

#include <shimin/switches.h>

/* Once, before the first is asked for. */
void switch_rules_open(int64_t second_person_above, int64_t proposal_time);
/* Of a fault's name, for commands. */
struct bilingual switch_fault_text(struct str fault);

#endif
