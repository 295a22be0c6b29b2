/* Which groups the scripts fold, and when: the rules of the manifest in force (manifest.h). A group without a rule is
 * left alone. */
#ifndef MC_SUPERVISOR_GROUP_RULES_H
#define MC_SUPERVISOR_GROUP_RULES_H

#include "protocol/frames.h"

/* A zeroed struct has no rules. */
typedef struct mc_group_rules {
  mc_buf texts; /* what the slices of the items point into */
  mc_frame_group_rule *items;
  size_t count;
} mc_group_rules;

/* Replaces them by copies of these. */
void mc_group_rules_set(mc_group_rules *rules, const mc_frame_group_rule *items, size_t count);
void mc_group_rules_deinit(mc_group_rules *rules);

bool mc_group_rules_any(const mc_group_rules *rules, mc_slice queue); /* whether groups of this queue can have one */

/* The rule for a group, NULL: none. An exact name first, then the longest prefix; of two alike the one that names the
 * queue. Borrowed until the rules are set again. */
const mc_frame_group_rule *mc_group_rules_find(const mc_group_rules *rules, mc_slice queue, mc_slice group);

#endif
