/* A doubly linked list whose links are embedded in what it holds. The head is a link of its own: an empty list's head
 * points at itself. Recover the owner of a link with mc_container_of.
 */
#ifndef MC_BASE_LIST_H
#define MC_BASE_LIST_H

#include <stdbool.h>

typedef struct mc_list {
  struct mc_list *next, *prev;
} mc_list;

static inline void mc_list_init(mc_list *head) {
  head->next = head->prev = head;
}

static inline bool mc_list_empty(const mc_list *head) {
  return head->next == head;
}

static inline void mc_list_insert_before(mc_list *place, mc_list *link) {
  link->prev = place->prev;
  link->next = place;
  place->prev->next = link;
  place->prev = link;
}

static inline void mc_list_push_back(mc_list *head, mc_list *link) {
  mc_list_insert_before(head, link);
}

static inline void mc_list_push_front(mc_list *head, mc_list *link) {
  mc_list_insert_before(head->next, link);
}

/* Takes the link out of its list; it may be removed again harmlessly. */
static inline void mc_list_remove(mc_list *link) {
  link->prev->next = link->next;
  link->next->prev = link->prev;
  mc_list_init(link);
}

/* The first link, taken out; NULL when the list is empty. */
static inline mc_list *mc_list_pop_front(mc_list *head) {
  if (mc_list_empty(head))
    return 0;
  mc_list *first = head->next;
  mc_list_remove(first);
  return first;
}

/* Walks a list; the link at hand may be removed while walking. */
#define MC_LIST_EACH(link, head)                                                                                       \
  for (mc_list *link = (head)->next, *link##_next = link->next; link != (head);                                        \
       link = link##_next, link##_next = link->next)

#endif
